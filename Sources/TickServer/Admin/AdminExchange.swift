import NIOCore
import NIOHTTP1

/// One request and its answer; then the connection closes, so that none is left lying about.
final class AdminExchange: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let source: AdminSource
  private var request: HTTPRequestHead?

  init(_ source: AdminSource) { self.source = source }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): request = head
    case .body: break
    case .end:
      guard let request else { return }
      self.request = nil
      let response = AdminEndpoint.answer(
        method: request.method.rawValue, target: request.uri, isFromPage: request.headers.contains(name: "origin"),
        source)
      send(response, to: request, context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func send(_ response: AdminResponse, to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    var headers: HTTPHeaders = [
      "content-type": response.contentType, "content-length": "\(response.body.utf8.count)",
      "cache-control": "no-store", "connection": "close",
    ]
    if let allowed = response.allowedMethods { headers.add(name: "allow", value: allowed) }
    let head = HTTPResponseHead(
      version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if request.method != .HEAD {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: response.body)))), promise: nil)
    }
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
  }
}

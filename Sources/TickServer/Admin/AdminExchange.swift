import NIOCore
import NIOHTTP1

/// One request and its answer; then the connection closes, so that none is left lying about.
final class AdminExchange: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let readings: @Sendable () -> AdminReadings
  private var request: HTTPRequestHead?

  init(readings: @escaping @Sendable () -> AdminReadings) { self.readings = readings }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): request = head
    case .body: break
    case .end:
      guard let request else { return }
      self.request = nil
      let response = AdminEndpoint.answer(method: request.method.rawValue, target: request.uri, readings: readings)
      send(response, to: request, context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func send(_ response: AdminResponse, to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    let headers: HTTPHeaders = [
      "content-type": response.contentType, "content-length": "\(response.body.utf8.count)",
      "cache-control": "no-store", "connection": "close",
    ]
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

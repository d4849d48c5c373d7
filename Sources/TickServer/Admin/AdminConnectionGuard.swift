import struct EventLoop.Locked
import NIOCore

/// The open connections of the admin port, oldest first.
final class AdminConnections: Sendable {
  /// Watchers are few: a scraper, a probe, a person.
  static let most = 32

  private let open = Locked<[any Channel]>([])

  /// Takes a connection in. When there are too many the oldest has to go: an exchange takes milliseconds, so that one is
  /// stuck, and a health check must get through.
  func enter(_ channel: any Channel) {
    let oldest = open.withLock { open in
      open.append(channel)
      return open.count > Self.most ? open.removeFirst() : nil
    }
    oldest?.close(promise: nil)
  }

  func leave(_ channel: any Channel) {
    open.withLock { open in open.removeAll { $0 === channel } }
  }
}

/// Bounds what one connection may cost, whatever its peer does or leaves undone.
final class AdminConnectionGuard: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  /// For the request and for taking the answer, together.
  static let deadline = TimeAmount.seconds(5)
  /// Most bytes of a request; a scraper's has some 300.
  static let mostRequestBytes = 16 * 1024

  private let connections: AdminConnections
  private var receivedBytes = 0
  private var timeout: Scheduled<Void>?

  init(_ connections: AdminConnections) { self.connections = connections }

  func channelActive(context: ChannelHandlerContext) {
    let channel = context.channel
    timeout = context.eventLoop.scheduleTask(in: Self.deadline) { channel.close(promise: nil) }
    connections.enter(channel)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    timeout?.cancel()
    connections.leave(context.channel)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    receivedBytes += unwrapInboundIn(data).readableBytes
    guard receivedBytes <= Self.mostRequestBytes else { return context.close(promise: nil) }
    context.fireChannelRead(data)
  }
}

import struct EventLoop.Locked
import Glibc
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
    oldest?.closeByReset()
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
    timeout = context.eventLoop.scheduleTask(in: Self.deadline) { channel.closeByReset() }
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
    guard receivedBytes <= Self.mostRequestBytes else { return context.channel.closeByReset() }
    context.fireChannelRead(data)
  }

  /// The kernel ends by itself, within the deadline, whose answer waits for a peer that reads nothing: we close as soon as the
  /// answer is written.
  static let userTimeout = ChannelOptions.Types.SocketOption(
    level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT))
}

extension Channel {
  /// Ends the connection, and what the kernel holds for its peer with it.
  fileprivate func closeByReset() {
    // Channels of sockets provide it; any other has nothing in the kernel.
    guard let options = self as? any SocketOptionProvider else { return close(promise: nil) }
    options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in self.close(promise: nil) }
  }
}

import EventLoop
import NIOCore
import NIOHTTP1
import NIOPosix

/// Serves the admin port on a thread of its own, apart from the loops.
final class AdminServer: Sendable {
  /// Descriptors that it may have open: its connections, its listener, and what its thread sleeps on.
  static let descriptors = AdminConnections.most + 8

  /// The port actually bound.
  let port: Int
  /// Where it listens: `127.0.0.1:7778`.
  let endpoint: String
  private let group: MultiThreadedEventLoopGroup

  private init(host: String, port: Int, group: MultiThreadedEventLoopGroup) {
    self.port = port
    endpoint = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    self.group = group
  }

  deinit {
    // Only when nobody stopped it: a thread that is left running would outlive its owner.
    group.shutdownGracefully { _ in }
  }

  /// Opens the port; nil when it is `off`.
  ///
  /// - Throws: ``StartError`` that names the setting.
  static func start(
    _ configuration: AdminConfiguration, _ source: AdminSource
  ) throws(StartError) -> AdminServer? {
    let port: Int
    switch configuration.port {
    case .off: return nil
    case .any: port = 0
    case .number(let number): port = number
    }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      let channel = try bootstrap(group, source).bind(
        to: SocketAddress(ipAddress: configuration.host, port: port)
      ).wait()
      guard let bound = channel.localAddress?.port else { throw ChannelError.unknownLocalAddress }
      return AdminServer(host: configuration.host, port: bound, group: group)
    } catch {
      group.shutdownGracefully { _ in }
      throw StartError(
        "admin.port \(port == 0 ? "any" : "\(port)") on admin.host \(configuration.host): \(error). "
          + "Set admin.port to another port, to any, or to off.")
    }
  }

  private static func bootstrap(
    _ group: MultiThreadedEventLoopGroup, _ source: AdminSource
  ) -> ServerBootstrap {
    let connections = AdminConnections()
    return ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(
        AdminConnectionGuard.userTimeout, value: Int(AdminConnectionGuard.deadline.nanoseconds / 1_000_000)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(AdminConnectionGuard(connections))
          // Nothing is answered twice on one connection: there is nothing to pipeline.
          try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
          try pipeline.addHandler(AdminExchange(source))
        }
      }
  }

  /// Closes the port and all connections; returns when they are closed. Safe to call again.
  func stop() {
    try? group.syncShutdownGracefully()
  }
}

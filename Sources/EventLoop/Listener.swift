import CUV
import Glibc

/// Accepts TCP connections and hands them over as streams with `TCP_NODELAY` set.
///
/// It watches its own socket through `uv_poll` instead of using `uv_listen`, which under `EMFILE` drops waiting
/// connections without a word, or spins when it has no spare descriptor. Here they wait in the backlog, the error is
/// reported, and accepting pauses for `pauseMilliseconds`.
package final class Listener: LoopHandle {
  package struct Options: Hashable, Sendable {
    /// Connections the kernel completes ahead of `accept`; clamped by `net.core.somaxconn`.
    package var backlog: Int32 = 1_024
    /// Lets several loops (each with a listener of its own) share the port; the kernel spreads the connections.
    package var reusePort = false
    /// The kernel's buffers of every accepted connection, those that still wait for `accept` included; nil leaves them
    /// to the system.
    package var bufferSizes: SocketBufferSizes?
    /// The kernel ends an accepted connection by itself whose peer has acknowledged nothing, or has let nothing be sent,
    /// for so long (TCP_USER_TIMEOUT); nil leaves it to the system. For connections that nobody is left to end.
    package var userTimeoutMilliseconds: Int?

    package init(
      backlog: Int32 = 1_024, reusePort: Bool = false, bufferSizes: SocketBufferSizes? = nil,
      userTimeoutMilliseconds: Int? = nil
    ) {
      self.backlog = backlog
      self.reusePort = reusePort
      self.bufferSizes = bufferSizes
      self.userTimeoutMilliseconds = userTimeoutMilliseconds
    }
  }

  /// How long accepting rests after an error such as `EMFILE`, which only time can cure.
  package static let pauseMilliseconds: UInt64 = 100
  /// A write to an accepted connection blocks while the kernel has so many bytes that it has not sent yet.
  static let mostUnsentBytes: Int32 = 16 * 1024
  /// Connections accepted before other handles get their turn.
  static let acceptsPerTurn = 64

  /// Where it listens, with the port actually bound.
  package let address: SocketAddress
  package var port: UInt16 { address.port }

  private let descriptor: Int32
  private var onAccept: ((Stream) -> Void)?
  private var onError: ((LoopError) -> Void)?
  private var pause: Timer?

  /// Binds and listens. `host` is an IPv4 or IPv6 literal (`::` takes both kinds), port 0 any free port.
  ///
  /// `onError` is called at most once per pause while `accept` fails; the listener goes on by itself.
  package init(
    loop: Loop, host: String, port: UInt16, options: Options = Options(),
    onAccept: @escaping (Stream) -> Void, onError: @escaping (LoopError) -> Void
  ) throws(LoopError) {
    (descriptor, address) = try Listener.listen(host: host, port: port, options: options)
    self.onAccept = onAccept
    self.onError = onError
    super.init(UV_POLL, loop: loop, gauge: \.listeners)
    let poll = pointer(as: uv_poll_t.self)
    try open("uv_poll_init") { [descriptor] loop in uv_poll_init(loop, poll, descriptor) }
    do throws(LoopError) {
      // libuv keeps a spare descriptor from a loop's first stream on: taken here, an emptied server holds as many
      // descriptors as one that nobody has come to.
      try Stream(unconnectedOn: loop, family: AF_INET).close()
      try startAccepting()
      pause = try Timer(loop: loop) { [unowned self] in resume() }
    } catch {
      close()
      throw error
    }
  }

  deinit {
    if phase == .unopened { _ = Glibc.close(descriptor) }
  }

  private func startAccepting() throws(LoopError) {
    let result = uv_poll_start(pointer(as: uv_poll_t.self), Int32(UV_READABLE.rawValue)) { handle, _, _ in
      guard let data = handle?.pointee.data else { return }
      Unmanaged<Listener>.fromOpaque(data).takeUnretainedValue().acceptWaiting()
    }
    try LoopError.check(result, "uv_poll_start", "\(address)")
  }

  private func acceptWaiting() {
    for _ in 0..<Listener.acceptsPerTurn {
      // The callback may close the listener.
      guard isOpen, let loop else { return }
      do throws(LoopError) {
        guard let stream = try accept(on: loop) else { return }
        onAccept?(stream)
      } catch {
        uv_poll_stop(pointer(as: uv_poll_t.self))
        pause?.start(afterMilliseconds: Listener.pauseMilliseconds)
        onError?(error)
        return
      }
    }
  }

  /// The next waiting connection; nil when there is none.
  private func accept(on loop: Loop) throws(LoopError) -> Stream? {
    var accepted: Int32 = -1
    let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    repeat {
      let peer = sockaddr_storage.filled { [descriptor] address, count in
        accepted = accept4(descriptor, address, count, flags)
        return accepted
      }
      if let peer {
        let stream = try Stream(
          adopting: SocketDescriptor(owning: accepted), loop: loop, peerAddress: SocketAddress(peer))
        // Fails only for a connection that is already gone, which its first read reports.
        try? stream.setNoDelay(true)
        return stream
      }
      // ECONNABORTED and EPROTO: that peer is gone, the next one may be fine. EINTR: nothing happened.
    } while [EINTR, ECONNABORTED, EPROTO].contains(errno)
    if errno == EAGAIN { return nil }
    throw LoopError("accept", "\(address)", code: -errno)
  }

  private func resume() {
    guard isOpen else { return }
    do throws(LoopError) {
      try startAccepting()
    } catch {
      pause?.start(afterMilliseconds: Listener.pauseMilliseconds)
      onError?(error)
    }
  }

  override func didStartClosing() {
    _ = Glibc.close(descriptor)
    pause?.close()
  }

  override func didClose() {
    onAccept = nil
    onError = nil
    pause = nil
  }

  /// Whether nobody else listens there: throws what `bind` says without sharing the port.
  package static func probe(host: String, port: UInt16) throws(LoopError) {
    let (descriptor, _) = try listen(host: host, port: port, options: Options(backlog: 1))
    _ = Glibc.close(descriptor)
  }

  private static func listen(
    host: String, port: UInt16, options: Options
  ) throws(LoopError) -> (Int32, SocketAddress) {
    let subject = endpoint(host, port)
    guard let storage = sockaddr_storage.literal(host, port: port) else {
      throw LoopError("bind", "\(subject) (the host must be an IPv4 or IPv6 address)", code: UV_EINVAL.rawValue)
    }
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(storage.family, type, 0)
    guard descriptor >= 0 else { throw LoopError("socket", subject, code: -errno) }
    var failure: LoopError?
    func attempt(_ call: String, _ result: Int32) {
      if failure == nil, result != 0 { failure = LoopError(call, subject, code: -errno) }
    }
    var on: Int32 = 1
    let onBytes = socklen_t(MemoryLayout<Int32>.size)
    // Without it a restarted server can't bind while old connections are in TIME_WAIT.
    attempt("setsockopt SO_REUSEADDR", setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, onBytes))
    if storage.family == AF_INET6 {
      // `::` takes both kinds, whatever the machine's default (net.ipv6.bindv6only) is.
      var off: Int32 = 0
      attempt(
        "setsockopt IPV6_V6ONLY",
        setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, onBytes))
    }
    if options.reusePort {
      attempt("setsockopt SO_REUSEPORT", setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, onBytes))
    }
    // Accepted sockets inherit them; the receive buffer decides the window that a connection is opened with.
    if let sizes = options.bufferSizes {
      var send = Int32(clamping: sizes.sendBytes)
      var receive = Int32(clamping: sizes.receiveBytes)
      attempt("setsockopt SO_SNDBUF", setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &send, onBytes))
      attempt("setsockopt SO_RCVBUF", setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive, onBytes))
    }
    if let milliseconds = options.userTimeoutMilliseconds {
      var value = Int32(clamping: milliseconds)
      attempt(
        "setsockopt TCP_USER_TIMEOUT", setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &value, onBytes))
    }
    // A slow peer's stream blocks while little waits in the kernel: what waits there cannot be replaced by something newer.
    var unsent = Listener.mostUnsentBytes
    attempt(
      "setsockopt TCP_NOTSENT_LOWAT",
      setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, &unsent, onBytes))
    if failure == nil {
      attempt("bind", storage.withSocketAddress { bind(descriptor, $0, storage.byteCount) })
    }
    if failure == nil { attempt("listen", Glibc.listen(descriptor, options.backlog)) }
    let bound = sockaddr_storage.filled { address, count in getsockname(descriptor, address, count) }
    guard failure == nil, let address = bound.flatMap({ SocketAddress($0) }) else {
      _ = Glibc.close(descriptor)
      throw failure ?? LoopError("getsockname", subject, code: UV_EINVAL.rawValue)
    }
    return (descriptor, address)
  }
}

import CUV
import Glibc

extension Stream {
  /// Connects to `host` (a name or an address literal), trying each of a name's addresses in turn, from `localAddress`
  /// (a literal) if given. `completion` is called exactly once, never from within this call; there is no time-out but
  /// the kernel's: set a timer and `cancel()`. `receiveBufferBytes` is set before the handshake, as only then does it
  /// bound the window that the peer is told first.
  @discardableResult
  package static func connect(
    loop: Loop, host: String, port: UInt16, localAddress: String? = nil, receiveBufferBytes: Int? = nil,
    completion: @escaping (Result<Stream, LoopError>) -> Void
  ) -> ConnectAttempt {
    let attempt = ConnectAttempt(
      loop: loop, host: host, port: port, localAddress: localAddress, receiveBufferBytes: receiveBufferBytes,
      completion: completion)
    attempt.start()
    return attempt
  }
}

/// A connection being made: look-up, then one address after the other. Kept alive by libuv's requests until it
/// completes.
package final class ConnectAttempt {
  private enum State {
    case lookingUp(UnsafeMutablePointer<uv_getaddrinfo_t>)
    case connecting(Stream)
    /// Between two steps.
    case idle
    case done
  }

  private let loop: Loop
  private let subject: String
  private let host: String
  private let port: UInt16
  private let localAddress: String?
  private let receiveBufferBytes: Int?
  private var completion: ((Result<Stream, LoopError>) -> Void)?
  private var state = State.idle
  private var isCancelled = false
  /// Addresses not tried yet.
  private var candidates: ArraySlice<sockaddr_storage> = []

  init(
    loop: Loop, host: String, port: UInt16, localAddress: String?, receiveBufferBytes: Int?,
    completion: @escaping (Result<Stream, LoopError>) -> Void
  ) {
    self.loop = loop
    self.host = host
    self.port = port
    self.localAddress = localAddress
    self.receiveBufferBytes = receiveBufferBytes
    self.completion = completion
    subject = endpoint(host, port)
  }

  /// Gives up: `completion` gets `ECANCELED`, unless it has been called. A look-up under way in the system's resolver
  /// can't be interrupted, and ends first.
  package func cancel() {
    isCancelled = true
    switch state {
    case .lookingUp(let request):
      request.withMemoryRebound(to: uv_req_t.self, capacity: 1) { _ = uv_cancel($0) }
    case .connecting(let stream): stream.close()
    case .idle, .done: break
    }
  }

  func start() {
    if let address = sockaddr_storage.literal(host, port: port) {
      candidates = [address]
      // A refusal known at once must not call back from within `connect`.
      loop.enqueue { [self] in tryNext(after: nil) }
    } else {
      lookUp()
    }
  }

  private func lookUp() {
    let request = UnsafeMutablePointer<uv_getaddrinfo_t>.allocate(capacity: 1)
    request.initialize(to: uv_getaddrinfo_t())
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    request.pointee.data = Unmanaged.passRetained(self).toOpaque()
    let result = uv_getaddrinfo(
      loop.raw, request,
      { request, status, addresses in
        defer { uv_freeaddrinfo(addresses) }
        guard let request, let data = request.pointee.data else { return }
        let attempt = Unmanaged<ConnectAttempt>.fromOpaque(data).takeRetainedValue()
        request.deallocate()
        attempt.didLookUp(status, addresses)
      }, host, String(port), &hints)
    guard result == 0 else {
      Unmanaged.passUnretained(self).release()
      request.deallocate()
      loop.enqueue { [self] in finish(.failure(LoopError("getaddrinfo", subject, code: result))) }
      return
    }
    state = .lookingUp(request)
    loop.lookUpBegan(self)
  }

  private func didLookUp(_ status: Int32, _ addresses: UnsafeMutablePointer<addrinfo>?) {
    state = .idle
    loop.lookUpEnded(self)
    guard status == 0 else { return finish(.failure(LoopError("getaddrinfo", subject, code: status))) }
    var found: [sockaddr_storage] = []
    var next = addresses
    while let entry = next?.pointee {
      var storage = sockaddr_storage()
      if let address = entry.ai_addr, Int(entry.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size {
        memcpy(&storage, address, Int(entry.ai_addrlen))
        found.append(storage)
      }
      next = entry.ai_next
    }
    candidates = found[...]
    tryNext(after: nil)
  }

  private func tryNext(after failure: LoopError?) {
    var failure = failure
    while !isCancelled, let address = candidates.popFirst() {
      do throws(LoopError) {
        state = .connecting(try begin(address))
        return
      } catch {
        failure = error
      }
    }
    let code = isCancelled ? UV_ECANCELED : UV_EAI_NONAME
    let fallback = LoopError("connect", subject, code: code.rawValue)
    finish(.failure(isCancelled ? fallback : failure ?? fallback))
  }

  private func begin(_ address: sockaddr_storage) throws(LoopError) -> Stream {
    let stream = try Stream(unconnectedOn: loop, family: address.family)
    do throws(LoopError) {
      if let localAddress { try bindLocally(stream, to: localAddress) }
      if let receiveBufferBytes {
        _ = try stream.setBufferSizes(sendBytes: nil, receiveBytes: receiveBufferBytes)
      }
      let request = UnsafeMutablePointer<uv_connect_t>.allocate(capacity: 1)
      request.initialize(to: uv_connect_t())
      request.pointee.data = Unmanaged.passRetained(self).toOpaque()
      let result = address.withSocketAddress { address in
        uv_tcp_connect(request, stream.tcp, address) { request, status in
          guard let request, let data = request.pointee.data else { return }
          request.deallocate()
          Unmanaged<ConnectAttempt>.fromOpaque(data).takeRetainedValue().didConnect(status)
        }
      }
      guard result == 0 else {
        Unmanaged.passUnretained(self).release()
        request.deallocate()
        throw LoopError("connect", subject, code: result)
      }
      return stream
    } catch {
      stream.close()
      throw error
    }
  }

  private func bindLocally(_ stream: Stream, to host: String) throws(LoopError) {
    guard let storage = sockaddr_storage.literal(host, port: 0) else {
      throw LoopError("bind", "\(host) (must be an IPv4 or IPv6 address)", code: UV_EINVAL.rawValue)
    }
    if let descriptor = stream.descriptor {
      var on: Int32 = 1
      // The port is then chosen with the peer known, so that one local address can reach many peers 28,000 times each.
      setsockopt(
        descriptor, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    try LoopError.check(storage.withSocketAddress { uv_tcp_bind(stream.tcp, $0, 0) }, "bind", host)
  }

  private func didConnect(_ status: Int32) {
    guard case .connecting(let stream) = state else { return }
    state = .idle
    guard status == 0, !isCancelled else {
      stream.close()
      return tryNext(after: LoopError("connect", subject, code: status))
    }
    stream.didConnect()
    // Fails only for a connection that is already gone, which its first read reports.
    try? stream.setNoDelay(true)
    finish(.success(stream))
  }

  private func finish(_ result: Result<Stream, LoopError>) {
    state = .done
    let completion = self.completion
    self.completion = nil
    completion?(result)
  }
}

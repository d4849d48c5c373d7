import ClientCore
import EventLoop
import WireFormat

/// The socket of a bot: what its core has to say goes out, with one system call a turn while the server reads.
final class BotConnection {
  private(set) var stream: Stream?
  private var attempt: ConnectAttempt?
  /// Bytes of a write in flight: the core's own buffer may move.
  private var inFlight: UnsafeMutableRawBufferPointer?
  private let measures: LoopMeasures

  init(_ measures: LoopMeasures) { self.measures = measures }

  deinit { inFlight?.deallocate() }

  func connect(
    on loop: Loop, to host: String, port: UInt16, from localAddress: String?,
    completion: @escaping (LoopError?) -> Void
  ) {
    attempt = Stream.connect(loop: loop, host: host, port: port, localAddress: localAddress) { [weak self] result in
      guard let self else { return }
      attempt = nil
      switch result {
      case .success(let stream):
        self.stream = stream
        completion(nil)
      case .failure(let error): completion(error)
      }
    }
  }

  /// There is no stream, and none is being made.
  var isIdle: Bool { stream == nil && attempt == nil }

  /// The server does not take what was sent before.
  var isBlocked: Bool { inFlight != nil }

  /// Sends what the core has to say.
  /// - Returns: false when the connection is beyond use.
  func flush(_ core: ClientCore) -> Bool {
    guard let stream, inFlight == nil, core.outputBytes > 0 else { return true }
    let outcome = core.withOutput { stream.tryWrite($0) }
    switch outcome {
    case .wrote(let count):
      measures.bytesSent += count
      core.outputTaken(count)
      return core.outputBytes == 0 || writeLater(core, stream)
    case .wouldBlock: return writeLater(core, stream)
    case .failed: return false
    }
  }

  private func writeLater(_ core: ClientCore, _ stream: Stream) -> Bool {
    let copy = core.withOutput { bytes in
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
      copy.copyMemory(from: bytes)
      return copy
    }
    guard (try? stream.write(UnsafeRawBufferPointer(copy))) != nil else {
      copy.deallocate()
      return false
    }
    core.outputTaken(copy.count)
    measures.bytesSent += copy.count
    inFlight = copy
    return true
  }

  func didCompleteWrite() {
    inFlight?.deallocate()
    inFlight = nil
  }

  func closeAfterFlush() { stream?.closeAfterFlush() }

  func close() {
    attempt?.cancel()
    stream?.close()
  }

  func didClose() {
    stream = nil
    didCompleteWrite()
  }
}

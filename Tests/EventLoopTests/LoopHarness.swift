import EventLoop
import Glibc
import Testing

/// Descriptors this process has open now, and what they are.
func openDescriptors() -> [String] {
  _ = processWideDescriptors
  guard let directory = opendir("/proc/self/fd") else { return [] }
  defer { closedir(directory) }
  let own = String(dirfd(directory))
  var names: [String] = []
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if Int(name) != nil, name != own { names.append("\(name) \(linkTarget("/proc/self/fd/\(name)"))") }
  }
  return names.sorted()
}

/// libuv's first loop opens a pipe for signals that stays for the life of the process.
private let processWideDescriptors: Void = {
  guard let loop = try? Loop() else { return }
  loop.stop()
  loop.run()
}()

private func linkTarget(_ path: String) -> String {
  var bytes = [CChar](repeating: 0, count: 256)
  let count = max(0, readlink(path, &bytes, bytes.count))
  return String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// Runs a loop until `body`'s callbacks stop it, and checks that nothing is left behind: every handle closed, every
/// descriptor given back, every write request returned. Far beyond any test's need, a watchdog ends a loop that hangs.
///
/// Without `alone` the descriptors are left to the caller: other loops are running, which open some as they go.
func withLoop(
  alone: Bool = true, _ body: (Loop) throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let before = openDescriptors()
  weak var released: Loop?
  do {
    let loop = try Loop()
    released = loop
    let watchdog = try Timer(loop: loop) {
      Issue.record("the loop still runs after 60 s", sourceLocation: sourceLocation)
      loop.stop()
    }
    watchdog.start(afterMilliseconds: 60_000)
    do {
      try body(loop)
    } catch {
      loop.stop()
      loop.run()
      throw error
    }
    loop.run()
    #expect(loop.gauges.total == 0, "\(loop.gauges)", sourceLocation: sourceLocation)
  }
  #expect(released == nil, "the loop is still referenced", sourceLocation: sourceLocation)
  if alone { #expect(openDescriptors() == before, sourceLocation: sourceLocation) }
}

/// A delegate whose answers a test scripts, and which keeps what it saw.
final class Probe: StreamDelegate {
  var received: [UInt8] = []
  var events: [String] = []
  var onRead: ((Stream, UnsafeRawBufferPointer) -> Void)?
  var onEnd: ((Stream, StreamEnd) -> Void)?
  var onWrite: ((Stream, LoopError?) -> Void)?
  var onClose: (() -> Void)?

  init(_ stream: Stream) {
    stream.delegate = self
  }

  func stream(_ stream: Stream, didRead bytes: UnsafeRawBufferPointer) {
    received.append(contentsOf: bytes)
    onRead?(stream, bytes)
  }

  func streamDidEnd(_ stream: Stream, _ end: StreamEnd) {
    events.append("end \(end)")
    onEnd?(stream, end)
  }

  func stream(_ stream: Stream, didCompleteWrite error: LoopError?) {
    events.append("write \(error?.name ?? "ok")")
    onWrite?(stream, error)
  }

  func streamDidClose(_ stream: Stream) {
    events.append("closed")
    onClose?()
    // Scripts capture streams and probes; letting go of them here breaks those cycles.
    (onRead, onEnd, onWrite, onClose) = (nil, nil, nil, nil)
  }
}

extension Stream {
  /// Takes the connection off its loop, for whoever wants it.
  func detachDescriptor() throws -> SocketDescriptor {
    var taken: SocketDescriptor?
    _ = try detach {
      taken = $0
      return true
    }
    return try #require(taken)
  }
}

extension Loop {
  /// Calls `body` with the two ends of a new connection over loopback.
  func connectPair(
    host: String = "127.0.0.1", localAddress: String? = nil,
    _ body: @escaping (_ client: Stream, _ server: Stream) throws -> Void
  ) throws {
    var listener: Listener?
    var client: Stream?
    var server: Stream?
    func pairUp() {
      guard let clientEnd = client, let serverEnd = server else { return }
      listener?.close()
      (listener, client, server) = (nil, nil, nil)
      do { try body(clientEnd, serverEnd) } catch { failAndStop("\(error)") }
    }
    let opened = try Listener(
      loop: self, host: host, port: 0,
      onAccept: { stream in
        server = stream
        pairUp()
      }, onError: { [unowned self] in failAndStop("\($0)") })
    listener = opened
    Stream.connect(loop: self, host: host, port: opened.port, localAddress: localAddress) { [unowned self] result in
      do {
        client = try result.get()
        pairUp()
      } catch {
        failAndStop("\(error)")
      }
    }
  }

  func failAndStop(_ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation) {
    Issue.record(comment, sourceLocation: sourceLocation)
    stop()
  }
}

/// SplitMix64: the same seed, the same run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }
}

/// Sends bytes the way the server does: `tryWrite` first, the single write in flight once the kernel has enough; in
/// slices of random length.
final class Pump {
  let bytes: UnsafeMutableRawBufferPointer
  private(set) var sentBytes = 0
  private(set) var blockedCount = 0
  private var inFlightBytes = 0
  private var random: SeededGenerator
  var onFinished: (() -> Void)?

  init(_ content: [UInt8], seed: UInt64) {
    bytes = .allocate(byteCount: content.count, alignment: 16)
    bytes.copyBytes(from: content)
    random = SeededGenerator(seed: seed)
  }

  deinit { bytes.deallocate() }

  func pump(into stream: Stream) throws {
    while sentBytes < bytes.count {
      let outcome = slices(upTo: 200).withUnsafeBufferPointer { stream.tryWrite($0) }
      switch outcome {
      case .wrote(let count): sentBytes += count
      case .failed(let error): throw error
      case .wouldBlock:
        blockedCount += 1
        let tail = slices(upTo: Stream.maximumSlicesInFlight)
        inFlightBytes = tail.reduce(0) { $0 + $1.count }
        try tail.withUnsafeBufferPointer { try stream.write($0) }
        return
      }
    }
    onFinished?()
  }

  func completed(on stream: Stream) throws {
    sentBytes += inFlightBytes
    inFlightBytes = 0
    try pump(into: stream)
  }

  private func slices(upTo maximum: Int) -> [UnsafeRawBufferPointer] {
    var slices: [UnsafeRawBufferPointer] = []
    var offset = sentBytes
    for _ in 0..<Int.random(in: 1...maximum, using: &random) where offset < bytes.count {
      let count = min(Int.random(in: 1...3_000, using: &random), bytes.count - offset)
      slices.append(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
      offset += count
    }
    return slices
  }
}

func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
  var random = SeededGenerator(seed: seed)
  return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

/// A locked value several closures can hold.
final class Shared<Value: Sendable>: Sendable {
  let value: Locked<Value>

  init(_ initial: Value) {
    value = Locked(initial)
  }
}

package import WireFormat

/// A client of the protocol without I/O and without a clock: bytes in, notices and bytes out.
///
/// ```swift
/// let core = ClientCore(ClientConfiguration(credential: .token(token)))
/// try core.connect(now: clock())                 // its Hello is in the output
/// core.withOutput { write($0) }                  // ... then core.outputTaken(count)
/// guard core.receive(bytes, now: clock(), self)  // false: close the stream, then ask connectionEnded
/// ```
///
/// Times are microseconds of any monotonic local clock. Confined to one thread at a time; steady frames allocate
/// nothing.
package final class ClientCore {
  /// Most bytes that may wait to be sent; what would exceed it is refused, so that a server that does not read costs no
  /// more.
  package static let outputLimitBytes = 256 * 1024
  /// Calls that may be unanswered: the server refuses more.
  package static let unansweredCalls = 16

  package let configuration: ClientConfiguration
  package internal(set) var phase = ClientPhase.idle
  package internal(set) var welcome: Welcome?
  /// The seat in the room; kept while the connection is lost and may be resumed.
  package internal(set) var seat: RoomSeat?
  package internal(set) var clock = ClockSync()
  /// Sequence of the last input written; never reset, so that it grows through every resume.
  package internal(set) var sentInput: UInt32 = 0
  /// Bytes waiting to be sent.
  package var outputBytes: Int { output.count - outputStart }

  var assembler = MessageAssembler(limit: WireLimits.serverMessageBytes)
  var content = FrameContent()
  var scratch: InputScratch?
  var openCalls: [UInt32] = []
  var raised = RaisedEvents()
  var nextCall: UInt32 = 1
  /// The join under way.
  var wish: Join?
  var attempt = 0
  var times = ConnectionTimes()
  var held = HeldFrame()
  var inputTimes = InputTimes()
  private var output: [UInt8] = []
  private var outputStart = 0

  package init(_ configuration: ClientConfiguration) {
    self.configuration = configuration
  }

  /// The state of the room at ``RoomSeat/tick``, a table a kind; empty without a seat.
  package var tables: [EntityTable] { seat?.mirror?.tables ?? [] }

  /// The hash of that state (`docs/protocol.md` 5.3); nil when no state is kept.
  package var stateHash: UInt64? { seat?.mirror?.hash }

  /// What the next Hello would present, with a seat to go back to. Tick 0 asks for a keyframe: none was applied yet.
  package var resumePoint: ResumePoint? {
    guard let seat, let welcome else { return nil }
    return ResumePoint(
      ticket: welcome.ticket, lastTick: seat.tick ?? Tick(0), lastEvent: seat.lastEvent, lastWhisper: seat.lastWhisper)
  }

  // MARK: Output

  /// Calls `body` with the bytes to send; what was sent is then to be reported to ``outputTaken(_:)``.
  package func withOutput<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try output.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[outputStart...])) }
  }

  /// The first `count` bytes of the output were sent.
  package func outputTaken(_ count: Int) {
    outputStart += min(max(count, 0), outputBytes)
    if outputStart == output.count { discardOutput() }
  }

  /// Takes all of the output, for callers that send it as one.
  package func takeOutput() -> [UInt8] {
    defer { discardOutput() }
    return Array(output[outputStart...])
  }

  func discardOutput() {
    output.removeAll(keepingCapacity: true)
    outputStart = 0
  }

  /// Writes messages of at most `bound` bytes.
  func write(bound: Int, _ body: (inout OutputRawSpan) -> Void) throws(ClientMisuse) {
    guard outputBytes + bound <= Self.outputLimitBytes else { throw .outputFull(bytes: outputBytes) }
    if outputStart > 0, outputStart >= output.count / 2 {
      output.removeFirst(outputStart)
      outputStart = 0
    }
    withUnsafeTemporaryAllocation(byteCount: bound, alignment: 1) { buffer in
      var out = OutputRawSpan(buffer: buffer, initializedCount: 0)
      body(&out)
      let count = out.finalize(for: buffer)
      output.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}

/// What a ``ClientCore`` is to be.
package struct ClientConfiguration: Sendable {
  /// What the first Hello presents; a resume point of an earlier process needs a `lastTick` of 0, which asks for a
  /// keyframe.
  package var credential: Credential
  /// The schema that the client was built with; nil to learn the room's.
  package var schema: Schema?
  /// Without it frames are followed (ticks, events) but their state is not decoded: for load, where the state is not
  /// looked at.
  package var keepsState: Bool
  /// A frame is told together with the acknowledgement that the server wrote behind it, even when the network parts
  /// them: see `ClientCore+Trailer.swift`. Off for those who measure when frames come.
  package var joinsAcknowledgements: Bool
  package var retry: RetryPolicy
  /// Time between two pings.
  package var pingMicroseconds: UInt64
  /// Silence after which a connection counts as lost. A silent room sends a frame a second, so this is some seconds of
  /// them.
  package var silenceMicroseconds: UInt64

  package init(
    credential: Credential = .none, schema: Schema? = nil, keepsState: Bool = true,
    joinsAcknowledgements: Bool = false, retry: RetryPolicy = RetryPolicy(), pingMilliseconds: UInt64 = 1_000,
    silenceMilliseconds: UInt64 = 10_000
  ) {
    self.credential = credential
    self.schema = schema
    self.keepsState = keepsState
    self.joinsAcknowledgements = joinsAcknowledgements
    self.retry = retry
    pingMicroseconds = pingMilliseconds * 1_000
    silenceMicroseconds = silenceMilliseconds * 1_000
  }
}

/// The local times that a connection is watched by, in microseconds.
struct ConnectionTimes: Sendable {
  var helloSent: UInt64 = 0
  var lastReceived: UInt64 = 0
  var lastPing: UInt64 = 0
  /// Tokens of unanswered pings, oldest first, each the time it was sent at; at most ``ClockSync/window``.
  var openPings: [UInt64] = []
  /// The token of the last ping; tokens grow.
  var lastToken: UInt64 = 0
  /// The token of the last ping that was sent because the one before it took long; it is not repeated in turn.
  var repeatedToken: UInt64 = 0
}

import EventLoop
import Synchronization
import WireFormat

/// A server of one room for one client at a time, on a loop thread of its own: answers as the protocol says, ticks when
/// the test says, and cuts connections on demand.
///
/// Avatar 1 is the client's. An Input moves it at once, an Event comes back to all, Call 1 echoes, Call 2 is rejected,
/// Call 3 is never answered.
// @unchecked Sendable: everything is touched on the loop's thread only, where `perform` carries it.
final class FakeServer: @unchecked Sendable, StreamDelegate {
  static let me = PlayerID(rawValue: 1)
  static let avatar = EntityID(kind: KindIndex(0), id: 1)

  let schema: Schema
  private(set) var port = 0
  private var thread: LoopThread?
  private var listener: Listener?
  private var stream: EventLoop.Stream?
  private var assembler = MessageAssembler(limit: WireLimits.clientMessageBytes)
  private var tables: [TrackedTable] = []
  private var scratch: [EntityTable] = []
  private var encoder = FrameEncoder(entities: 16)
  private var tick: UInt32 = 100
  private var lastEvent: UInt64 = 0
  /// Frames sealed, with their ticks: what a resume replays.
  private var log: [(tick: UInt32, bytes: [UInt8])] = []
  private(set) var isSeated = false
  private(set) var hellos = 0
  private(set) var joins = 0
  private(set) var leaves = 0
  /// Connections that ended.
  private(set) var ends = 0
  /// Answers nothing at all.
  var isMute = false
  /// Joins and leaves wait until the test has them answered.
  var ignoresJoins = false
  var ignoresLeaves = false
  /// Newcomers wait for their state.
  var withholdsKeyframes = false
  /// Sends what is behind a frame a little later, as a network may that parts the two.
  var partsAcknowledgements = false
  private var lateAcknowledgement: Timer?
  private var late: [[UInt8]] = []
  private var loop: Loop?
  private(set) var calls = 0
  private(set) var inputs = 0
  /// Reads that brought inputs.
  private(set) var inputReads = 0
  /// What the next Hello is answered with, instead of a Welcome.
  var goodbye: Goodbye?
  /// What the next Join is answered with.
  var refusal: JoinRefused?

  init() throws {
    schema = try Schema([
      EntityKind(
        "avatar", capacity: 16,
        fields: [Field("position", .vector(2, range: -100...100, step: 0.01)), Field("name", .string(maxBytes: 16))])
    ])
    tables = schema.layouts.map { TrackedTable($0) }
    scratch = InputReader.scratch(schema)
    tables[0].create(1, generation: 0, owner: Self.me)
    _ = seal([])
    log = []
    let started = try LoopThread.start(name: "fakeserver") { [self] loop in
      self.loop = loop
      listener = try Listener(
        loop: loop, host: "127.0.0.1", port: 0, onAccept: { [self] in accept($0) }, onError: { _ in })
      return Int(listener?.port ?? 0)
    }
    thread = started.thread
    port = started.value
  }

  /// Ends the thread; call it at the end of every test.
  func stop() {
    thread?.stop()
    thread?.join()
    listener = nil
    stream = nil
    lateAcknowledgement = nil
    loop = nil
  }

  /// Runs `body` on the server's thread and waits for it.
  func perform<Value: Sendable>(_ body: @escaping @Sendable (FakeServer) -> Value) async -> Value {
    await withCheckedContinuation { waiter in
      _ = thread?.mailbox.post { [self] _ in waiter.resume(returning: body(self)) }
    }
  }

  // MARK: On the loop's thread

  /// Seals a frame and sends it.
  func step(_ events: [(code: UInt16, payload: [UInt8])] = []) {
    let frame = seal(events)
    if isSeated { send(frame) }
  }

  func move(_ position: SIMD2<Double>) throws {
    let key = try schema.key("avatar", "position", as: SIMD2<Double>.self)
    if tables[0].current.store(key, 1, position, in: schema.layouts).hasChanged { tables[0].touch(1) }
  }

  func whisper(_ number: UInt64) {
    send(
      encodedBytes(bound: 64) {
        Whisper.encode(isReliable: true, number: number, sender: nil, code: 50, payload: [9].span, into: &$0)
      })
  }

  /// Ends the connection without a word.
  func cut() {
    stream?.reset()
    stream = nil
  }

  func say(_ goodbye: Goodbye) {
    send(encodedBytes(bound: 2048) { goodbye.encode(into: &$0) })
    stream?.closeAfterFlush()
    stream = nil
  }

  private func seal(_ events: [(code: UInt16, payload: [UInt8])]) -> [UInt8] {
    tick += 1
    var hasState = false
    let state = encodedBytes(bound: FrameEncoder.stateBound(schema.layouts)) {
      hasState = encoder.encodeChanges(of: &tables, into: &$0)
    }
    let first = lastEvent + 1
    lastEvent += UInt64(events.count)
    let frame = encodedBytes(bound: 65536) { out in
      out.put(.frame, bound: 65000) { out in
        out.put(byte: (events.isEmpty ? 0 : 2) | (hasState ? 4 : 0))
        out.put(varint: UInt64(tick))
        out.put(varint: 1)
        if !events.isEmpty {
          out.put(varint: first)
          out.put(varint: events.count)
          for event in events {
            RoomEvent.encode(
              isReliable: true, sender: nil, isForSender: true, code: event.code, payload: event.payload.span,
              into: &out)
          }
        }
        out.put(raw: state.span)
      }
    }
    log.append((tick, frame))
    return frame
  }

  private func keyframe() -> [UInt8] {
    var hasState = false
    let state = encodedBytes(bound: FrameEncoder.stateBound(schema.layouts)) {
      hasState = encoder.encodeKeyframe(of: tables, into: &$0)
    }
    return encodedBytes(bound: 65536) { out in
      out.put(.frame, bound: 65000) { out in
        out.put(byte: 1 | (hasState ? 4 : 0))
        out.put(varint: UInt64(tick))
        out.put(varint: lastEvent)
        out.put(raw: state.span)
      }
    }
  }

  private func send(_ bytes: [UInt8]) {
    guard let stream else { return }
    // The tests send little: the kernel takes it at once.
    _ = bytes.withUnsafeBytes { stream.tryWrite($0) }
  }

  private func accept(_ new: EventLoop.Stream) {
    stream = new
    assembler = MessageAssembler(limit: WireLimits.clientMessageBytes)
    isSeated = false
    new.delegate = self
    new.startReading()
  }

  func stream(_ stream: EventLoop.Stream, didRead bytes: UnsafeRawBufferPointer) {
    guard stream === self.stream else { return }
    let inputsBefore = inputs
    defer { if inputs > inputsBefore { inputReads += 1 } }
    bytes.withMemoryRebound(to: UInt8.self) { chunk in
      _ = try? assembler.feed(chunk.span) { type, body in
        answer(type, body)
        return .proceed
      }
    }
  }

  func streamDidEnd(_ stream: EventLoop.Stream, _ end: StreamEnd) {
    ends += 1
    stream.close()
  }

  func stream(_ stream: EventLoop.Stream, didCompleteWrite error: LoopError?) {}

  private func answer(_ type: UInt8, _ body: Span<UInt8>) {
    if isMute {
      hellos += 1
      return
    }
    switch MessageType(rawValue: type) {
    case .hello: if let hello = try? Hello(body) { welcome(hello) }
    case .join:
      joins += 1
      if !ignoresJoins { answerJoin() }
    case .leave:
      leaves += 1
      if !ignoresLeaves { answerLeave() }
    case .ping:
      guard let token = try? Ping.token(body) else { return }
      send(encodedBytes(bound: 64) { Pong(token: token, timeMicroseconds: 9_000_000).encode(into: &$0) })
    case .call:
      calls += 1
      if let call = try? Call(body) { reply(call, body.array(call.payload)) }
    case .event: if let event = try? ClientEvent(body) { step([(event.code, body.array(event.payload))]) }
    case .input:
      inputs += 1
      apply(body)
    default: break
    }
  }

  private func welcome(_ hello: Hello) {
    hellos += 1
    if let goodbye {
      self.goodbye = nil
      return say(goodbye)
    }
    let welcome = Welcome(
      session: 4, timeMicroseconds: 8_000_000, maxClientMessage: 16384, maxServerMessage: 1 << 20, graceSeconds: 30,
      ticket: Array(repeating: 3, count: 16))
    send(encodedBytes(bound: 128) { welcome.encode(into: &$0) })
    guard case .resume(let point) = hello.credential else { return }
    joined(resumed: point)
    for frame in log where frame.tick > point.lastTick.rawValue { send(frame.bytes) }
  }

  func answerLeave() {
    isSeated = false
    send(encodedBytes(bound: 8) { $0.put(empty: .left) })
  }

  func answerJoin() {
    if let refusal {
      self.refusal = nil
      return send(encodedBytes(bound: 2048) { refusal.encode(into: &$0) })
    }
    joined(resumed: nil)
    if !withholdsKeyframes { send(keyframe()) }
  }

  private func joined(resumed: ResumePoint?) {
    let joined = Joined(
      isResumed: resumed != nil, player: Self.me, generation: 1, tick: Tick(tick), tickRate: 30, startMicroseconds: 0,
      lastEvent: resumed?.lastEvent ?? lastEvent, lastWhisper: resumed?.lastWhisper ?? 0, schemaHash: schema.hash,
      schema: resumed == nil ? schema.encoded : nil, players: resumed == nil ? [Self.me] : nil)
    send(encodedBytes(bound: joined.bound + 16) { joined.encode(into: &$0) })
    isSeated = true
  }

  private func reply(_ call: Call, _ payload: [UInt8]) {
    guard call.method != 3 else { return }
    let status = call.method == 1 ? ReplyStatus.ok : .rejected
    send(
      encodedBytes(bound: 2048) { Reply.encode(id: call.id, status: status, payload: payload.span, into: &$0) })
  }

  private func apply(_ body: Span<UInt8>) {
    guard var reader = try? InputReader(body) else { return }
    // A network delays, and changes no order.
    sendLate()
    while let entry = try? reader.next(body, into: &scratch, schema) {
      tables[0].copy(entry.mask, from: &scratch, row: 0, to: Int(entry.entity.id))
    }
    step()
    let acknowledgement = encodedBytes(bound: InputAck.bound) { InputAck(sequence: reader.sequence).encode(into: &$0) }
    guard partsAcknowledgements, let loop else { return send(acknowledgement) }
    late.append(acknowledgement)
    if lateAcknowledgement == nil {
      lateAcknowledgement = try? Timer(loop: loop) { [self] in sendLate() }
    }
    lateAcknowledgement?.start(afterMilliseconds: 3)
  }

  private func sendLate() {
    for acknowledgement in late { send(acknowledgement) }
    late = []
  }
}

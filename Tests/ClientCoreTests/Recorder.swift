import ClientCore
import WireFormat

/// A core with everything it told, in order, and what it wrote, cut into messages.
final class Recorder: ClientCoreDelegate {
  let core: ClientCore
  var log: [String] = []
  var faults: [ClientFault] = []
  var now: UInt64 = 10_000_000

  init(_ configuration: ClientConfiguration = ClientConfiguration()) {
    core = ClientCore(configuration)
  }

  /// In the room of `server`, its keyframe applied, with an empty log.
  convenience init(in server: inout ScriptedServer, _ configuration: ClientConfiguration = ClientConfiguration()) throws
  {
    self.init(configuration)
    try core.connect(now: now)
    receive(ScriptedServer.welcome())
    try core.join("lobby", kind: "arena")
    receive(server.joined())
    receive(server.keyframe())
    core.discardForTest()
    log = []
  }

  @discardableResult
  func receive(_ bytes: [UInt8]) -> Bool { core.receive(bytes.span, now: now, self) }

  /// Takes the output apart: the types of its messages.
  func sent() -> [MessageType] { messages().map(\.type) }

  func messages() -> [(type: MessageType, body: [UInt8])] {
    var assembler = MessageAssembler(limit: WireLimits.clientMessageBytes)
    var found: [(type: MessageType, body: [UInt8])] = []
    let bytes = core.takeOutput()
    _ = try? assembler.feed(bytes.span) { type, body in
      if let type = MessageType(rawValue: type) { found.append((type, body.array(0..<body.count))) }
      return .proceed
    }
    return found
  }

  // MARK: ClientCoreDelegate

  func client(_ core: ClientCore, didReceive welcome: Welcome) { log.append("welcome") }
  func client(_ core: ClientCore, didReceive joined: Joined) { log.append(joined.isResumed ? "resumed" : "joined") }
  func client(_ core: ClientCore, didReceive refusal: JoinRefused) { log.append("refused \(refusal.code)") }
  func clientDidLeave(_ core: ClientCore) { log.append("left") }
  func client(_ core: ClientCore, didApply frame: FrameContent) {
    for entity in frame.removed { log.append("- \(entity)") }
    for entity in frame.created { log.append("+ \(entity)") }
    for (entity, mask) in zip(frame.changed, frame.masks) { log.append("~ \(entity) \(mask)") }
  }
  func client(_ core: ClientCore, didReceive event: RoomEvent, payload: Span<UInt8>) {
    log.append("event \(event.number ?? 0) \(event.code) \(payload.array(0..<payload.count))")
  }
  func client(_ core: ClientCore, playerJoined player: PlayerID, generation: UInt32) { log.append("+ \(player)") }
  func client(_ core: ClientCore, playerLeft player: PlayerID) { log.append("- \(player)") }
  func client(_ core: ClientCore, didFinish tick: Tick) { log.append("\(tick)") }
  func client(_ core: ClientCore, didReceive whisper: Whisper, payload: Span<UInt8>) {
    log.append("whisper \(whisper.number) \(payload.array(0..<payload.count))")
  }
  func client(_ core: ClientCore, didReceive reply: Reply, payload: Span<UInt8>) {
    log.append("reply \(reply.id) \(reply.status) \(payload.array(0..<payload.count))")
  }
  func client(_ core: ClientCore, didAcknowledge sequence: UInt32) { log.append("ack \(sequence)") }
  func client(_ core: ClientCore, didLoseCall id: UInt32) { log.append("lost call \(id)") }
  func client(_ core: ClientCore, didReceive goodbye: Goodbye) { log.append("goodbye \(goodbye.code)") }
  func client(_ core: ClientCore, didFind fault: ClientFault) { faults.append(fault) }
}

extension ClientCore {
  func discardForTest() { _ = takeOutput() }
}

import ClientCore
import Testing
import WireFormat

struct JoiningTests {
  @Test func joinsAndMirrorsTheState() throws {
    var server = try ScriptedServer()
    server.create(5, owner: ScriptedServer.me)
    try server.set("position", 5, SIMD3(1.5, -2, 3.25))
    try server.set("name", 5, "Ada")
    _ = server.frame()
    let client = Recorder(ClientConfiguration(credential: .token([1, 2, 3])))
    try client.core.connect(now: client.now)
    let hello = try #require(client.messages().first)
    #expect(try Hello(hello.body.span).credential == .token([1, 2, 3]))
    #expect(client.receive(ScriptedServer.welcome()))
    try client.core.join("lobby", kind: "arena", options: [9])
    let join = try #require(client.messages().last)
    #expect(try Join(join.body.span) == Join(room: "lobby", roomKind: "arena", options: [9]))
    #expect(client.receive(server.joined() + server.keyframe()))
    #expect(
      client.log == ["welcome", "joined", "+ entity 0:5", "~ entity 0:5 \(0b1001)", "tick \(server.tick)"])
    let seat = try #require(client.core.seat)
    #expect(seat.schema == server.schema)
    #expect(seat.players == [ScriptedServer.me])
    let name = try seat.schema.key("avatar", "name", as: String.self)
    let position = try seat.schema.key("avatar", "position", as: SIMD3<Double>.self)
    #expect(client.core.tables[0].load(name, 5) == "Ada")
    #expect(client.core.tables[0].load(position, 5) == SIMD3(1.5, -2, 3.25))
  }

  @Test func splitAtEveryByteMeansTheSame() throws {
    var server = try ScriptedServer()
    server.create(1)
    _ = server.frame()
    var stream = ScriptedServer.welcome()
    let welcomed = stream.count
    stream += server.joined() + server.keyframe()
    try server.set("yaw", 1, 90.0)
    stream += server.frame([.init(payload: [1]), .init(payload: [2])]) + ScriptedServer.whisper(1, payload: [4])
    stream += ScriptedServer.ping(77) + ScriptedServer.goodbye(.kicked)
    func run(split: Int) throws -> [String] {
      let client = Recorder()
      try client.core.connect(now: client.now)
      for piece in [0..<min(split, welcomed), min(split, welcomed)..<welcomed] { client.receive(Array(stream[piece])) }
      try client.core.join("lobby", kind: "arena")
      let middle = max(split, welcomed)
      client.receive(Array(stream[welcomed..<middle]))
      client.receive(Array(stream[middle...]))
      #expect(client.faults == [])
      return client.log
    }
    let whole = try run(split: 0)
    #expect(whole.last == "goodbye 135")
    #expect(whole.contains("event 42 16 [2]"))
    for split in 1..<stream.count { #expect(try run(split: split) == whole, "split at \(split)") }
  }

  @Test(arguments: JoinRefusal.allCases)
  func refusedJoinLeavesTheConnectionOpen(_ refusal: JoinRefusal) throws {
    let client = Recorder()
    try client.core.connect(now: client.now)
    client.receive(ScriptedServer.welcome())
    try client.core.join("lobby", kind: "arena")
    _ = try client.core.call(1, payload: [UInt8]().span)
    #expect(client.receive(ScriptedServer.refusal(refusal)))
    #expect(client.log == ["welcome", "lost call 1", "refused \(refusal.rawValue)"])
    #expect(client.core.phase == .welcomed)
    try client.core.join("other", kind: "arena")
    #expect(client.core.phase == .joining)
  }

  @Test func leavesAndJoinsAgain() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    try client.core.leave()
    #expect(client.sent() == [.leave])
    // What the room sent before it knew still counts.
    #expect(client.receive(server.frame() + ScriptedServer.left()))
    #expect(client.log == ["tick \(server.tick)", "left"])
    #expect(client.core.seat == nil)
    try client.core.join("next", kind: "arena")
    #expect(client.receive(server.joined() + server.keyframe()))
    #expect(client.core.phase == .inRoom)
  }

  @Test func ownSchemaIsUsedWhenTheServerSendsNone() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server, ClientConfiguration(schema: server.schema))
    #expect(client.core.phase == .inRoom)
    let other = Recorder()
    try other.core.connect(now: 0)
    other.receive(ScriptedServer.welcome())
    try other.core.join("lobby", kind: "arena")
    #expect(!other.receive(server.joined(sendsSchema: false)))
    #expect(other.faults == [.schema("none was sent, though none is known here")])
  }

  @Test func strictSchemaTravelsAndIsChecked() throws {
    let server = try ScriptedServer()
    let own = try Schema([EntityKind("ball", capacity: 1, fields: [Field("x", .bool)])])
    let client = Recorder(ClientConfiguration(schema: own))
    try client.core.connect(now: 0)
    client.receive(ScriptedServer.welcome())
    client.core.discardForTest()
    try client.core.join("lobby", kind: "arena", strict: true)
    let body = try #require(client.messages().last).body
    let join = try Join(body.span)
    #expect(join.strictSchema && join.schemaHash == own.hash)
    #expect(!client.receive(server.joined()))
    #expect(client.faults == [.schema("another one than the strict one asked for")])
  }

  @Test func messagesOutOfPlaceAreFaults() throws {
    var server = try ScriptedServer()
    let room = try Recorder(in: &server)
    #expect(!room.receive(ScriptedServer.welcome()))
    #expect(room.faults == [.unexpectedMessage(.welcome, phase: "in a room")])
    let early = Recorder()
    try early.core.connect(now: 0)
    #expect(!early.receive(server.keyframe()))
    #expect(early.faults == [.unexpectedMessage(.frame, phase: "waiting for Welcome")])
    let unknown = try Recorder(in: &server)
    #expect(unknown.receive([3, 0x90, 1, 2]), "an optional type is skipped")
    #expect(!unknown.receive([3, 0x50, 1, 2]))
    #expect(unknown.faults == [.unknownMessage(type: 0x50)])
  }

  @Test func lengthAboveTheLimitIsAFault() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    #expect(!client.receive(encodedBytes(bound: 8) { $0.put(varint: 1 << 20 + 1) }))
    #expect(client.faults == [.framing(.tooLarge(length: 1 << 20 + 1, limit: 1 << 20))])
  }
}

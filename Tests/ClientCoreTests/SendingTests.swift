import ClientCore
import Testing
import WireFormat

struct SendingTests {
  private func ownAvatar() throws -> (ScriptedServer, Recorder, EntityID) {
    var server = try ScriptedServer()
    server.create(1, owner: ScriptedServer.me)
    server.create(2, owner: PlayerID(rawValue: 8))
    _ = server.frame()
    let client = try Recorder(in: &server)
    return (server, client, EntityID(kind: KindIndex(0), id: 1))
  }

  @Test func fieldsSetSinceTheLastTimeGoAsOneInput() throws {
    let (server, client, me) = try ownAvatar()
    let position = try server.schema.key("avatar", "position", as: SIMD3<Double>.self)
    let name = try server.schema.key("avatar", "name", as: String.self)
    try client.core.set(position, of: me, to: SIMD3(1, 2, 3))
    try client.core.set(name, of: me, to: "Bo")
    try client.core.set(position, of: me, to: SIMD3(4, 5, 9_999))
    #expect(try client.core.flushInput() == 1)
    #expect(try client.core.flushInput() == nil)
    let messages = client.messages()
    #expect(messages.map(\.type) == [.input])
    let body = try #require(messages.first).body
    var reader = try InputReader(body.span)
    var scratch = InputReader.scratch(server.schema)
    let entry = try reader.next(body.span, into: &scratch, server.schema)
    #expect(entry?.entity == me)
    #expect(entry?.mask == 0b1001)
    #expect(scratch[0].load(position, 0) == SIMD3(4, 5, 512))
    #expect(scratch[0].load(name, 0) == "Bo")
    #expect(try reader.next(body.span, into: &scratch, server.schema) == nil)
  }

  @Test func onlyOwnEntitiesMayBeSet() throws {
    let (server, client, _) = try ownAvatar()
    let health = try server.schema.key("avatar", "health", as: Int.self)
    for id in [2, 60] as [UInt16] {
      let other = EntityID(kind: KindIndex(0), id: id)
      #expect(throws: ClientMisuse.notOwned(other)) { try client.core.set(health, of: other, to: 1) }
    }
  }

  @Test func inputsThatAreTooLongForOneMessageAreSplit() throws {
    var server = try ScriptedServer()
    for id in 0..<64 { server.create(id, owner: ScriptedServer.me) }
    _ = server.frame()
    let client = Recorder()
    try client.core.connect(now: 0)
    client.receive(ScriptedServer.welcome(maxClientMessage: 512))
    try client.core.join("lobby", kind: "arena")
    client.receive(server.joined() + server.keyframe())
    client.core.discardForTest()
    let name = try server.schema.key("avatar", "name", as: String.self)
    for id in 0..<64 { try client.core.set(name, of: EntityID(kind: KindIndex(0), id: UInt16(id)), to: "name \(id)") }
    let last = try client.core.flushInput()
    var count = 0
    var scratch = InputReader.scratch(server.schema)
    var sequences: [UInt32] = []
    for message in client.messages() {
      #expect(message.body.count < 512)
      var reader = try InputReader(message.body.span)
      sequences.append(reader.sequence)
      while try reader.next(message.body.span, into: &scratch, server.schema) != nil { count += 1 }
    }
    #expect(count == 64)
    #expect(sequences == Array(1...(try #require(last))))
    #expect(sequences.count > 1)
  }

  @Test func eventsAndCallsAreChecked() throws {
    let (_, client, _) = try ownAvatar()
    let long = [UInt8](repeating: 0, count: 1025)
    #expect(throws: ClientMisuse.outOfRange(what: "an event code", value: 15, allowed: 16...65535)) {
      try client.core.raise(15, to: .all, reliably: true, payload: [UInt8]().span)
    }
    #expect(throws: ClientMisuse.tooLong(what: "an event payload", bytes: 1025, limit: 1024)) {
      try client.core.raise(16, to: .all, reliably: true, payload: long.span)
    }
    for _ in 0..<ClientCore.unansweredCalls { _ = try client.core.call(1, payload: [1].span) }
    #expect(throws: ClientMisuse.tooManyCalls) { _ = try client.core.call(1, payload: [1].span) }
    client.core.discardForTest()
    try client.core.raise(300, to: .one(PlayerID(rawValue: 8)), reliably: true, payload: [6, 7].span)
    let body = try #require(client.messages().first).body
    let event = try ClientEvent(body.span)
    #expect(event.code == 300 && event.isReliable && event.target == .one(PlayerID(rawValue: 8)))
    #expect(Array(body[event.payload]) == [6, 7])
  }

  @Test func outputIsBounded() throws {
    let (_, client, _) = try ownAvatar()
    let payload = [UInt8](repeating: 1, count: 1024)
    var sent = 0
    var refusal: ClientMisuse?
    while refusal == nil, sent < 1_000 {
      do {
        try client.core.raise(16, to: .all, reliably: true, payload: payload.span)
        sent += 1
      } catch { refusal = error }
    }
    #expect(refusal == .outputFull(bytes: client.core.outputBytes))
    #expect(client.core.outputBytes <= ClientCore.outputLimitBytes)
    client.core.outputTaken(client.core.outputBytes)
    try client.core.raise(16, to: .all, reliably: true, payload: payload.span)
  }

  @Test func outputIsTakenInPieces() throws {
    let (_, client, _) = try ownAvatar()
    for number in 0..<20 {
      try client.core.raise(16, to: .all, reliably: true, payload: [UInt8(number), 1, 2].span)
    }
    var taken: [UInt8] = []
    while client.core.outputBytes > 0 {
      let piece = client.core.withOutput { Array($0.prefix(7)) }
      taken += piece
      client.core.outputTaken(piece.count)
    }
    var numbers: [UInt8] = []
    var assembler = MessageAssembler(limit: 100)
    _ = try assembler.feed(taken.span) { _, body in
      numbers.append(body[body.count - 3])
      return .proceed
    }
    #expect(numbers == Array(0..<20))
  }
}

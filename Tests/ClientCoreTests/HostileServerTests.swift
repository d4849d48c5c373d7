import ClientCore
import Testing
import WireFormat

/// Bytes that no server should send: whatever they are, the core ends the connection or carries on; it never traps.
struct HostileServerTests {
  /// SplitMix64: small, and the same on every machine.
  private struct Random {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
  }

  private func session() throws -> (before: [UInt8], after: [UInt8], server: ScriptedServer) {
    var server = try ScriptedServer()
    server.create(1, owner: ScriptedServer.me)
    server.create(2)
    try server.set("name", 2, "Eve")
    try server.set("position", 2, SIMD3(1, 2, 3))
    _ = server.frame()
    var after = server.joined() + server.keyframe()
    try server.set("target", 1, Optional(EntityID(kind: KindIndex(0), id: 2)))
    after += server.frame([.init(payload: [1, 2]), .init(code: 1, payload: [9, 1])])
    after += ScriptedServer.whisper(1) + ScriptedServer.ping(5) + ScriptedServer.pong(1, time: 3)
    server.remove(2)
    _ = server.frame([.init()])
    after += server.keyframe() + ScriptedServer.missed([.init()], first: 43) + ScriptedServer.goodbye(.idle)
    return (ScriptedServer.welcome(), after, server)
  }

  @Test func tenThousandDamagedSessionsNeverTrap() throws {
    let (before, after, _) = try session()
    var faults = 0
    for seed in 0..<10_000 {
      var random = Random(state: UInt64(seed))
      var bytes = after
      for _ in 0...random.below(4) {
        switch random.below(4) {
        case 0: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
        case 2: bytes.removeSubrange(random.below(bytes.count)...)
        default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: random.below(bytes.count))
        }
        if bytes.isEmpty { bytes = [0] }
      }
      let client = Recorder()
      try client.core.connect(now: client.now)
      client.receive(before)
      try client.core.join("lobby", kind: "arena")
      let cut = random.below(bytes.count + 1)
      if client.receive(Array(bytes[..<cut])) { client.receive(Array(bytes[cut...])) }
      _ = client.core.connectionEnded(jitter: 0.5, client)
      faults += client.faults.count
    }
    #expect(faults > 5_000, "most damage is seen")
  }

  @Test func randomBytesNeverTrap() throws {
    let (before, after, _) = try session()
    for seed in 0..<2_000 {
      var random = Random(state: UInt64(seed) &+ 77)
      let client = Recorder()
      try client.core.connect(now: client.now)
      if seed % 2 == 0 { client.receive(before) }
      if seed % 4 == 0 {
        try client.core.join("lobby", kind: "arena")
        client.receive(Array(after.prefix(400)))
      }
      // A true length and type, so that the layouts themselves are met.
      for _ in 0..<8 {
        let count = random.below(60)
        let types = MessageType.allCases
        var message: [UInt8] = [UInt8(count + 1), types[random.below(types.count)].rawValue]
        for _ in 0..<count { message.append(UInt8(truncatingIfNeeded: random.next())) }
        if !client.receive(message) { break }
      }
    }
  }

  @Test func numbersAtTheirEndsNeverTrap() throws {
    let server = try ScriptedServer(tick: .max, lastEvent: .max)
    let client = Recorder()
    try client.core.connect(now: .max)
    client.now = 0
    client.receive(ScriptedServer.welcome(time: .max))
    try client.core.join("lobby", kind: "arena")
    #expect(client.receive(server.joined(lastWhisper: .max)))
    let keyframe = ScriptedServer.message(.frame) { out in
      out.put(byte: 1)
      out.put(varint: UInt64(UInt32.max))
      out.put(varint: UInt64.max)
    }
    #expect(client.receive(keyframe))
    #expect(client.core.seat?.dueMicroseconds(Tick(.max)) != nil)
    #expect(client.core.tick(now: 1))
    let overflow = ScriptedServer.message(.frame) { out in
      out.put(byte: 2)
      out.put(varint: UInt64(UInt32.max))
      out.put(varint: 1)
      out.put(varint: UInt64.max)
      out.put(varint: 1)
      out.put(raw: [1, 16, 0].span)
    }
    #expect(!client.receive(overflow))
  }

  @Test func schemaThatWouldEatTheMemoryIsRefused() throws {
    let fields = (0..<63).map { Field("f\($0)", .vector(4, range: -1...1, step: 0.5)) }
    let huge = try Schema((0..<32).map { EntityKind("k\($0)", capacity: 65536, fields: fields) })
    let joined = Joined(
      isResumed: false, player: ScriptedServer.me, generation: 1, tick: Tick(1), tickRate: 30, startMicroseconds: 0,
      lastEvent: 0, lastWhisper: 0, schemaHash: huge.hash, schema: huge.encoded, players: [ScriptedServer.me])
    let client = Recorder()
    try client.core.connect(now: 0)
    client.receive(ScriptedServer.welcome())
    try client.core.join("lobby", kind: "arena")
    #expect(!client.receive(encodedBytes(bound: joined.bound + 16) { joined.encode(into: &$0) }))
    guard case .schema = client.faults.first else {
      Issue.record("refused for another reason: \(client.faults)")
      return
    }
  }
}

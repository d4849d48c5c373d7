import ClientCore
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite struct InputTests {
  /// An Input message with one entry: `mask` and values as raw bytes.
  private func input(_ sequence: UInt32, id: UInt16, mask: UInt64, _ values: [UInt8]) -> [UInt8] {
    let body = encodedBytes(bound: 64) { out in
      out.put(varint: UInt64(sequence))
      out.put(varint: 1)
      out.put(varint: 0)
      out.put(varint: UInt64(id))
      out.put(varint: mask)
      for value in values { out.put(byte: value) }
    }
    return [UInt8(body.count + 1), MessageType.input.rawValue] + body
  }

  /// Two members with an avatar each, in a room that keeps whose inputs it applied.
  private final class Pair {
    let stage: Stage
    let both: [SimulatedClient]
    let avatars: [EntityID]
    private(set) var order: [UInt16] = []

    init(_ limits: RoomLimits = RoomLimits()) throws {
      stage = try Stage(limits)
      both = stage.join(2)
      avatars = try both.map(stage.avatar)
      stage.game.onInput = { [weak self] input, player, room in
        self?.order.append(player.rawValue)
        room.apply(input)
      }
    }

    func turn(_ index: Int, to yaw: Double) throws {
      try both[index].set(stage.keys.yaw, of: avatars[index], to: yaw)
    }
  }

  @Test func inputsApplyInOrderOfArrivalAndAreAcknowledged() throws {
    let pair = try Pair()
    let (stage, both) = (pair.stage, pair.both)
    for index in [1, 0, 0, 1] { try pair.turn(index, to: 0) }
    try pair.turn(1, to: 90)
    #expect(both[1].acknowledgedInput == 0)
    stage.room.advance(ticks: 1)
    #expect(pair.order == [1, 0, 0, 1, 1])
    #expect(both.map(\.acknowledgedInput) == [2, 3])
    #expect(both[0].get(stage.keys.yaw, of: pair.avatars[1]) == 90)
    stage.finish()
  }

  @Test func whatIsReadWithinATickHasItsEffectInItBehindTheInbox() throws {
    let pair = try Pair()
    let (stage, both) = (pair.stage, pair.both)
    both[1].connection?.isReadAtTicks = true
    for index in [1, 0, 1] { try pair.turn(index, to: 90) }
    #expect(stage.room.room.counters.inputs == 0)
    stage.room.advance(ticks: 1)
    #expect(pair.order == [0, 1, 1])
    #expect(both.map(\.acknowledgedInput) == [1, 2])
    #expect(both[0].get(stage.keys.yaw, of: pair.avatars[1]) == 90)
    stage.finish()
  }

  @Test(arguments: [false, true])
  func aGameMayGiveUpThePlayerWhoseInputItIsGiven(isReadAtTicks: Bool) throws {
    let stage = try Stage()
    let both = stage.join(2)
    stage.game.onInput = { _, player, room in room.kick(player, "moved") }
    both[0].connection?.isReadAtTicks = isReadAtTicks
    let avatar = try stage.avatar(of: both[0])
    for yaw in [90.0, 91.0] { try both[0].set(stage.keys.yaw, of: avatar, to: yaw) }
    stage.room.advance(ticks: 1)
    #expect(stage.room.room.counters.inputs == 1, "nothing that it sent behind that counts")
    #expect(both[1].players == [both[1].player])
    #expect(!both[0].isInRoom)
    stage.finish()
  }

  @Test func theGameSeesTheValuesAskedForAndMayRefuseThem() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    let avatar = try stage.avatar(of: ann)
    let keys = stage.keys
    var seen: [SIMD2<Double>?] = []
    stage.game.onInput = { input, _, _ in
      seen.append(input[keys.position])
      #expect(!input.contains(keys.yaw))
      #expect(input[keys.yaw] == nil)
    }
    try ann.set(keys.position, of: avatar, to: SIMD2(7, -7.5))
    stage.room.advance(ticks: 1)
    #expect(seen == [SIMD2(7, -7.5)])
    #expect(ann.get(keys.position, of: avatar) == SIMD2(0, 0))
    #expect(ann.acknowledgedInput == 1)
    stage.finish()
  }

  @Test func anotherPlayersEntityIsLeftAlone() throws {
    let stage = try Stage()
    let both = stage.join(2)
    let other = try stage.avatar(of: both[1])
    // Field 1, the yaw: 10 degrees, as a zigzag.
    both[0].send(raw: input(0, id: other.id, mask: 2, [20]))
    stage.room.advance(ticks: 1)
    #expect(both[1].get(stage.keys.yaw, of: other) == 0)
    #expect(both[0].isInRoom)
    #expect(stage.room.room.counters.inputsIgnored == 1)
    stage.finish()
  }

  @Test func aValueOutOfRangeEndsTheConnectionAndTheSeat() throws {
    let stage = try Stage()
    let both = stage.join(2)
    // Field 0, the position: 100.5 is 201 steps, 402 as a zigzag.
    both[0].send(raw: input(1, id: 0, mask: 1, [0x92, 0x03, 0]))
    stage.room.advance(ticks: 1)
    #expect(both[0].goodbye?.reason == .invalidInput)
    stage.room.advance(ticks: 1)
    #expect(stage.room.room.playerCount == 1)
    stage.finish()
  }

  @Test(arguments: [
    [UInt8(1), MessageType.input.rawValue], [3, MessageType.event.rawValue, 0, 0],
    [2, MessageType.call.rawValue, 0x80], [2, MessageType.leave.rawValue, 0],
  ])
  func aMalformedMessageEndsTheConnection(message: [UInt8]) throws {
    let stage = try Stage()
    let both = stage.join(2)
    both[0].send(raw: message)
    both[0].raise(20)
    stage.room.advance(ticks: 1)
    #expect(both[0].goodbye?.reason == .malformed)
    #expect(both[1].events.isEmpty, "what came behind it must not count")
    stage.finish()
  }

  @Test func aSequenceThatDoesNotRiseEndsTheConnection() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    ann.send(raw: input(5, id: 0, mask: 2, [20]))
    ann.send(raw: input(5, id: 0, mask: 2, [40]))
    stage.room.advance(ticks: 1)
    #expect(ann.goodbye?.reason == .invalidInput)
    #expect(stage.room.room.counters.inputs == 1)
    stage.finish()
  }

  @Test func moreMessagesThanTheRateAreTakenLaterAndInOrder() throws {
    var limits = RoomLimits()
    (limits.messagesPerSecond, limits.messageBurst) = (10, 20)
    let stage = try Stage(limits)
    let both = stage.join(2)
    for number in 0..<40 { both[0].raise(20, [UInt8(number)], to: .others) }
    stage.room.advance(ticks: 1)
    #expect(both[1].events.count == 20)
    stage.room.advance(by: .seconds(1))
    #expect((29...31).contains(both[1].events.count), "\(both[1].events.count)")
    stage.room.advance(by: .seconds(1))
    #expect(both[1].events.map(\.payload) == (0..<40).map { [UInt8($0)] })
    #expect(both[0].isConnected)
    stage.finish()
  }

  @Test func aNewSeatIsNoNewBurst() throws {
    var limits = RoomLimits()
    (limits.messagesPerSecond, limits.messageBurst) = (10, 20)
    let stage = try Stage(limits)
    let both = stage.join(2)
    for _ in 0..<18 { both[0].raise(20, to: .others) }
    both[0].leave()
    stage.room.advance(ticks: 1)
    both[0].join()
    stage.room.advance(ticks: 1)
    #expect(both[0].isInRoom)
    for _ in 0..<20 { both[0].raise(20, to: .others) }
    stage.room.advance(ticks: 1)
    #expect(both[1].events.count < 18 + 20)
    stage.room.advance(by: .seconds(2))
    #expect(both[1].events.count == 18 + 20)
    stage.finish()
  }

  @Test func messagesThatWaitAreBoundedInBytesEvenEmptyOnes() throws {
    var limits = RoomLimits()
    limits.inboxBytes = .kib(4)
    limits.messageBurst = 100_000
    let stage = try Stage(limits)
    let ann = stage.join(1)[0]
    for _ in 0..<100 { ann.raise(20, Array(repeating: 0, count: 1000), to: .others) }
    let delivery = try #require(ann.connection?.delivery)
    #expect(delivery.waitingBytes <= 4096 + 1100)
    stage.room.advance(ticks: 40)
    #expect(ann.isConnected)
    #expect(delivery.waitingBytes == 0)
    for _ in 0..<1000 { ann.send(raw: [2, MessageType.input.rawValue, 0]) }
    #expect(delivery.waitingBytes <= 4096 + 100)
    stage.room.finish()
  }

  // MARK: More inputs than a tick takes

  @Test func ofInputsThatPiledUpTheNewestAreAppliedAndTheirPlayerIsToldOfTheOthers() throws {
    var limits = RoomLimits()
    limits.inputsPerTick = 4
    let pair = try Pair(limits)
    let (stage, both) = (pair.stage, pair.both)
    for step in 1...100 { try pair.turn(0, to: Double(step)) }
    try pair.turn(1, to: 7)
    stage.room.advance(ticks: 1)
    #expect(pair.order == [0, 0, 0, 0, 1])
    #expect(both[0].isConnected)
    #expect(both[1].get(stage.keys.yaw, of: pair.avatars[0]) == 100, "the newest counts")
    #expect(both[0].acknowledgedInput == 100)
    #expect(both[0].droppedInputs == 96)
    #expect(both[0].core.seat?.droppedInputs == 96)
    #expect(both[0].droppedRanges == [1..<97])
    #expect(both[1].droppedInputs == 0)
    #expect(stage.room.room.counters.inputsDropped == 96)
    for step in 1...3 { try pair.turn(0, to: Double(step)) }
    stage.room.advance(ticks: 1)
    #expect(both[0].acknowledgedInput == 103)
    #expect(both[0].droppedInputs == 96, "who keeps to the pace again loses nothing")
    stage.finish()
  }

  @Test func whatIsReadWithinATickAndIsTooMuchForItWaitsForTheNext() throws {
    var limits = RoomLimits()
    limits.inputsPerTick = 4
    let pair = try Pair(limits)
    let (stage, both) = (pair.stage, pair.both)
    both[0].connection?.isReadAtTicks = true
    for step in 1...6 { try pair.turn(0, to: Double(step)) }
    stage.room.advance(ticks: 1)
    #expect(pair.order.count == 4)
    #expect(both[0].acknowledgedInput == 4)
    stage.room.advance(ticks: 1)
    #expect(both[0].acknowledgedInput == 6)
    #expect(both[0].droppedInputs == 0)
    both[0].connection?.isReadAtTicks = true
    for step in 1...20 { try pair.turn(0, to: Double(step)) }
    stage.room.advance(ticks: 2)
    #expect(both[0].acknowledgedInput == 26)
    #expect(both[0].droppedInputs == 12)
    #expect(both[1].get(stage.keys.yaw, of: pair.avatars[0]) == 20)
    stage.finish()
  }

  @Test func theCountOfDroppedInputsOutlivesTheConnection() throws {
    var limits = RoomLimits()
    limits.inputsPerTick = 2
    let pair = try Pair(limits)
    let (stage, both) = (pair.stage, pair.both)
    for step in 1...5 { try pair.turn(0, to: Double(step)) }
    stage.room.advance(ticks: 1)
    #expect(both[0].droppedInputs == 3)
    both[0].connection?.cut()
    stage.room.advance(ticks: 3)
    both[0].connect()
    for step in 1...5 { try pair.turn(0, to: Double(step)) }
    stage.room.advance(ticks: 1)
    #expect(both[0].acknowledgedInput == 10)
    #expect(both[0].droppedInputs == 6)
    stage.finish()
  }

  @Test func inputsThatWentDownWithTheConnectionAreTold() throws {
    let pair = try Pair()
    let (stage, both) = (pair.stage, pair.both)
    try pair.turn(0, to: 1)
    stage.room.advance(ticks: 1)
    for step in 2...4 { try pair.turn(0, to: Double(step)) }
    both[0].raise(20, to: .others)
    // Reset: what has been read and waits for the tick is lost when the client is back before it.
    both[0].connection?.cut()
    stage.room.advance(by: .zero)
    #expect(both[0].eventsPerhapsLost == 1)
    both[0].connect()
    stage.room.advance(ticks: 1)
    #expect(both[0].acknowledgedInput == 1)
    #expect(both[0].droppedRanges == [2..<5])
    #expect(both[0].droppedInputs == 3)
    stage.finish()
  }

  @Test(arguments: [(1, 4), (16, 4), (17, 2), (64, 1), (65, 1), (256, 1)])
  func anInputCountsByItsEntries(entries: Int, applied: Int) throws {
    var limits = RoomLimits()
    limits.inputsPerTick = 4
    let stage = try Stage(limits)
    let ann = stage.join(1)[0]
    for sequence in 1...8 {
      let body = encodedBytes(bound: 8192) { out in
        out.put(varint: UInt64(sequence))
        out.put(varint: entries)
        for _ in 0..<entries { for byte: UInt8 in [0, 0, 2, 20] { out.put(byte: byte) } }
      }
      let head = encodedBytes(bound: 8) { out in
        out.put(varint: body.count + 1)
        out.put(byte: MessageType.input.rawValue)
      }
      ann.send(raw: head + body)
    }
    stage.room.advance(ticks: 1)
    #expect(stage.room.room.counters.inputs == UInt64(applied))
    #expect(stage.room.room.counters.inputsDropped == UInt64(8 - applied))
    stage.room.finish()
  }

  @Test func theNumberFollowsTheTickRate() throws {
    let schema = try TestSchema.make()
    func count(_ rate: Int) -> Int {
      RoomKind("k", schema: schema, tickRate: rate) { RelayLogic(grants: []) }.inputsPerTick
    }
    // Clients of 144 Hz on a bunching network find room at every rate.
    for rate in 1...128 { #expect(count(rate) * rate >= 2 * 144 || count(rate) >= 8) }
    #expect(count(1) == 480)
    #expect(count(30) == 16)
    #expect(count(128) == 8)
  }
}

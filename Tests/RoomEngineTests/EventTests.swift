import ClientCore
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite struct EventTests {
  @Test func eventsReachAllOthersOrOneInTheOrderInWhichTheyWereRaised() throws {
    let stage = try Stage()
    let clients = stage.join(3)
    clients[0].raise(20, [1], to: .all)
    clients[0].raise(21, [2], to: .others, reliably: false)
    clients[1].raise(22, [3], to: .all)
    clients[2].raise(23, [4], to: .one(PlayerID(rawValue: 0)))
    clients[2].raise(24, [5], to: .one(PlayerID(rawValue: 77)))
    stage.room.advance(ticks: 1)
    #expect(clients[0].events.map(\.payload) == [[1], [3]])
    #expect(clients[1].events.map(\.payload) == [[1], [2], [3]])
    #expect(clients[2].events.map(\.payload) == [[1], [2], [3]])
    // Three joins came before.
    #expect(clients[1].events.map(\.number) == [4, nil, 5])
    #expect(clients[1].events.map { $0.sender?.rawValue } == [0, 0, 1])
    #expect(clients[0].whispers.map(\.payload) == [[4]])
    #expect(clients[0].whispers.first?.sender == PlayerID(rawValue: 2))
    #expect(stage.room.room.counters.whispersLost == 1)
    stage.finish()
  }

  @Test func theGameMayDropAnEventAndRaiseItsOwn() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    stage.game.onEvent = { event, _, room in
      room.raise(500, event.payload + [9])
      return false
    }
    ann.raise(20, [1])
    stage.room.advance(ticks: 1)
    #expect(ann.events.map(\.code) == [500])
    #expect(ann.events.map(\.payload) == [[1, 9]])
    #expect(ann.events[0].sender == nil)
    stage.finish()
  }

  @Test func whatExceedsATickComesInTheNextInOrder() throws {
    var limits = RoomLimits()
    limits.eventBytesPerTick = .kib(2)
    limits.messageBurst = 100
    limits.inboxBytes = .kib(64)
    let stage = try Stage(limits)
    let both = stage.join(2)
    for number: UInt8 in 0..<12 {
      both[Int(number % 2)].raise(20, [number] + Array(repeating: 0, count: 499), to: .all)
    }
    let counts = (0..<5).map { _ in
      stage.room.advance(ticks: 1)
      return both[0].events.count
    }
    #expect(counts[0] < 12 && counts.last == 12)
    for parity: UInt8 in 0...1 {
      let own = both[0].events.map { $0.payload[0] }.filter { $0 % 2 == parity }
      #expect(own == own.sorted(), "what one player raised keeps its order")
    }
    #expect(both[1].events == both[0].events)
    stage.finish()
  }

  @Test func whoLeavesBehindAnEventThatHadToWaitLeavesAfterIt() throws {
    var limits = RoomLimits()
    limits.eventBytesPerTick = .kib(2)
    let stage = try Stage(limits)
    let both = stage.join(2)
    for number: UInt8 in 0..<6 { both[0].raise(20, [number] + Array(repeating: 0, count: 499)) }
    both[0].leave()
    both[0].disconnect()
    stage.room.advance(ticks: 1)
    #expect(both[1].players.count == 2)
    stage.room.advance(ticks: 1)
    #expect(both[1].events.map { $0.payload[0] } == Array(0..<6))
    #expect(both[1].players == [PlayerID(rawValue: 1)])
    stage.finish()
  }

  @Test func theGameIsToldWhenItsEventsDoNotFit() throws {
    var limits = RoomLimits()
    limits.eventBytesPerTick = .kib(2)
    limits.payloadBytes = ByteCount(1000)
    let stage = try Stage(limits)
    let ann = stage.join(1)[0]
    var raised: [Bool] = []
    stage.game.onTick = { room in
      raised = [1000, 1000, 1000, 1001].map { room.raise(20, Array(repeating: 0, count: $0)) }
      raised.append(room.raise(15))
    }
    stage.room.advance(ticks: 1)
    #expect(raised == [true, true, false, false, false])
    #expect(ann.events.count == 2)
    #expect(stage.room.room.counters.eventsRefused == 3)
    stage.finish()
  }

  @Test func aTooLargePayloadEndsTheConnectionInsteadOfWaitingForever() throws {
    var limits = RoomLimits()
    limits.payloadBytes = ByteCount(100)
    limits.eventBytesPerTick = .kib(2)
    let stage = try Stage(limits)
    let ann = stage.join(1)[0]
    ann.raise(20, Array(repeating: 0, count: 101))
    stage.room.advance(ticks: 1)
    #expect(ann.goodbye?.reason == .malformed)
    stage.finish()
  }

  @Test func aSkipLosesTransientEventsAndNoReliableOne() throws {
    var limits = RoomLimits()
    limits.frameLogFrames = 4
    let stage = try Stage(limits)
    let ann = stage.join(1)[0]
    var number: UInt8 = 0
    stage.game.onTick = { room in
      number += 1
      room.raise(20, [number])
      room.raise(21, [number], reliably: false)
    }
    ann.connection?.stall()
    stage.room.advance(ticks: 10)
    ann.connection?.flow()
    stage.room.advance(ticks: 2)
    let (reliable, transient) = (ann.events.filter { $0.number != nil }, ann.events.filter { $0.number == nil })
    #expect(reliable.map(\.payload) == (1...12).map { [$0] })
    #expect(transient.map(\.payload) == [[1], [11], [12]])
    #expect(ann.keyframes == 2)
    #expect(stage.room.room.counters.skips == 1)
    stage.finish()
  }

  @Test func whoMissesMoreThanTheEventLogKeepsIsEvicted() throws {
    var limits = RoomLimits()
    limits.frameLogFrames = 4
    limits.eventLogEvents = 16
    let stage = try Stage(limits)
    let ann = stage.join(1)[0]
    stage.game.onTick = { room in for _ in 0..<4 { room.raise(20) } }
    ann.connection?.stall()
    stage.room.advance(ticks: 10)
    ann.connection?.flow()
    stage.room.advance(ticks: 1)
    #expect(ann.goodbye?.reason == .slowConsumer)
    #expect(ann.goodbye?.text == "the reliable events it missed are no longer kept")
    ann.connect()
    #expect(ann.goodbye?.reason == .ticketStale)
    stage.finish()
  }
}

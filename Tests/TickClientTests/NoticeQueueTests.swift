import Testing

@testable import TickClient

struct NoticeQueueTests {
  private let one = EntityID(kind: KindIndex(0), id: 1)
  private let two = EntityID(kind: KindIndex(0), id: 2)

  private func event(_ code: UInt16, reliable: Bool = true) -> RoomNotice {
    .event(GameEvent(code: code, payload: [], sender: nil, isReliable: reliable))
  }

  /// What a reader gets that comes late.
  private func drain(_ queue: NoticeQueue) async -> [RoomNotice] {
    queue.finish(.left)
    var notices: [RoomNotice] = []
    while let notice = await queue.next() { notices.append(notice) }
    #expect(notices.last == .ended(.left))
    return notices.dropLast()
  }

  @Test func noticesComeInOrder() async {
    let queue = NoticeQueue(limit: 8)
    let notices: [RoomNotice] = [
      .entityCreated(one, owner: nil), .entityChanged(one, mask: 1), event(20), .entityRemoved(two),
    ]
    for notice in notices { #expect(queue.push(notice)) }
    #expect(await drain(queue) == notices)
  }

  @Test func changesOfAnEntityMerge() async {
    let queue = NoticeQueue(limit: 8)
    for mask in [1, 4, 4] as [UInt64] { _ = queue.push(.entityChanged(one, mask: mask)) }
    _ = queue.push(.entityChanged(two, mask: 2))
    #expect(await queue.next() == .entityChanged(one, mask: 5))
    _ = queue.push(.entityChanged(one, mask: 8))
    #expect(await drain(queue) == [.entityChanged(two, mask: 2), .entityChanged(one, mask: 8)])
  }

  @Test func entityThatWasNeverToldGoesWithoutAWord() async {
    let queue = NoticeQueue(limit: 8)
    _ = queue.push(.entityCreated(one, owner: nil))
    _ = queue.push(.entityChanged(one, mask: 1))
    _ = queue.push(.entityRemoved(one))
    #expect(await drain(queue) == [])
  }

  @Test func replacedEntityIsToldAsGoneAndNew() async {
    let queue = NoticeQueue(limit: 8)
    for _ in 0..<3 {
      _ = queue.push(.entityRemoved(one))
      _ = queue.push(.entityCreated(one, owner: nil))
    }
    #expect(await drain(queue) == [.entityRemoved(one), .entityCreated(one, owner: nil)])
  }

  @Test func framesMergeIntoTheLast() async {
    let queue = NoticeQueue(limit: 8)
    _ = queue.push(.frame(Tick(1)))
    _ = queue.push(event(20))
    _ = queue.push(.frame(Tick(2)))
    #expect(await queue.next() == event(20))
    #expect(await queue.next() == .frame(Tick(2)))
  }

  @Test func transientEventsAreDroppedAtTheLimitAndReliableOnesEndTheRoom() async {
    let queue = NoticeQueue(limit: 2)
    #expect(queue.push(event(20)))
    #expect(queue.push(event(21, reliable: false), mayBeLost: true))
    #expect(queue.push(event(22, reliable: false), mayBeLost: true))
    #expect(!queue.push(event(23)))
    #expect(queue.push(event(24)), "after the end nothing is taken, and nothing is wrong")
    var notices: [RoomNotice] = []
    while let notice = await queue.next() { notices.append(notice) }
    #expect(notices == [event(20), event(21, reliable: false), .ended(.consumerTooSlow(limit: 2))])
  }

  @Test func sleepingReaderCostsNoMoreHoweverMuchComesAndGoes() async {
    let queue = NoticeQueue(limit: 2)
    for _ in 0..<100_000 {
      _ = queue.push(.entityCreated(one, owner: nil))
      _ = queue.push(.entityChanged(one, mask: 1))
      _ = queue.push(.entityRemoved(one))
      _ = queue.push(.entityChanged(two, mask: 1))
      #expect(queue.slotCount < 200)
    }
    #expect(await drain(queue) == [.entityChanged(two, mask: 1)])
  }

  @Test func waitingReaderIsWokenAndCancelled() async {
    let queue = NoticeQueue(limit: 2)
    let reader = Task { await queue.next() }
    _ = queue.push(event(20))
    #expect(await reader.value == event(20))
    let idle = Task { await queue.next() }
    idle.cancel()
    #expect(await idle.value == nil)
  }
}

/// Memory, order and frames under readers of any speed.
struct NoticeQueueBoundTests {
  private let kind = KindIndex(0)

  private func event(_ code: UInt16) -> RoomNotice {
    .event(GameEvent(code: code, payload: [], sender: nil, isReliable: true))
  }

  @Test func aReaderThatIsAlwaysBehindCostsNoMoreAndStillIsToldFrames() async {
    let queue = NoticeQueue(limit: 1_000)
    for number in 0..<100 { #expect(queue.push(event(UInt16(100 + number)))) }
    var expected: UInt16 = 100
    var told: [Tick] = []
    var mostSlots = 0
    for round in 0..<100_000 {
      #expect(queue.push(event(UInt16(100 + (100 + round) % 60_000))))
      _ = queue.push(.frame(Tick(UInt32(round + 1))))
      mostSlots = max(mostSlots, queue.slotCount)
      var notice = await queue.next()
      if case .frame(let tick) = notice {
        told.append(tick)
        notice = await queue.next()
      }
      guard notice == event(expected) else {
        Issue.record("\(String(describing: notice)) in the place of event \(expected)")
        return
      }
      expected = UInt16(100 + (Int(expected) - 100 + 1) % 60_000)
    }
    #expect(mostSlots < 500)
    // About one each time that it has read what was there when the frame came.
    #expect(told.count > 500)
    #expect(zip(told, told.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func ofTheFramesThatWaitForASleeperTheLastIsTold() async {
    let queue = NoticeQueue(limit: 1_000)
    for round in 1...500 {
      _ = queue.push(event(UInt16(1_000 + round)))
      _ = queue.push(.frame(Tick(UInt32(round))))
    }
    for round in 1...500 { #expect(await queue.next() == event(UInt16(1_000 + round))) }
    #expect(await queue.next() == .frame(Tick(500)))
  }

  @Test func ofALinkThatComesAndGoesTheLastLossAndReturnAreTold() async {
    let queue = NoticeQueue(limit: 1)
    #expect(queue.push(event(20)))
    for round in 1...1_000 {
      #expect(queue.push(.disconnected(retryIn: .milliseconds(round))), "a flapping link is not the reader's fault")
      #expect(queue.push(.resumed))
      #expect(queue.slotCount < 200)
    }
    #expect(await queue.next() == event(20))
    #expect(await queue.next() == .disconnected(retryIn: .milliseconds(1_000)))
    #expect(await queue.next() == .resumed)
  }

  /// What a game does with notices, in the smallest: it knows which entities are there.
  private struct Game {
    var entities: Set<EntityID> = []
    var events: [UInt16] = []
    var lastFrame = Tick(0)
    var reconnects = 0

    mutating func take(_ notice: RoomNotice, changes: inout [EntityID: UInt64]) {
      switch notice {
      case .entityCreated(let entity, _):
        #expect(entities.insert(entity).inserted, "\(entity) is created twice")
        changes[entity] = 0
      case .entityRemoved(let entity): #expect(entities.remove(entity) != nil, "\(entity) goes and was not there")
      case .entityChanged(let entity, let mask):
        #expect(entities.contains(entity), "\(entity) changes and is not there")
        changes[entity, default: 0] |= mask
      case .event(let event): events.append(event.code)
      case .frame(let tick):
        #expect(tick > lastFrame)
        lastFrame = tick
      default: break
      }
    }
  }

  @Test(arguments: 0..<60) func whateverIsPushedAndReadTheBoundHoldsAndNothingIsWrong(seed: Int) async {
    var random = Random(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 7)
    let limit = 16
    let entities = 12
    let queue = NoticeQueue(limit: limit)
    var alive: Set<EntityID> = []
    var raised: [UInt16] = []
    var waiting = 0
    var changed: [EntityID: UInt64] = [:]
    var seen: [EntityID: UInt64] = [:]
    var game = Game()
    var tick: UInt32 = 0
    // Readers of every speed: mostly behind, mostly ahead, and changing.
    let readShare = UInt64(1 + seed % 19)
    var mostSlots = 0
    for _ in 0..<4_000 {
      let entity = EntityID(kind: kind, id: UInt16(random.below(UInt64(entities))))
      switch random.below(8) {
      case 0, 1:
        guard alive.insert(entity).inserted else { break }
        changed[entity] = 0
        _ = queue.push(.entityCreated(entity, owner: nil))
      case 2:
        if alive.remove(entity) != nil { _ = queue.push(.entityRemoved(entity)) }
      case 3, 4:
        if alive.contains(entity) {
          let mask: UInt64 = 1 << random.below(8)
          changed[entity, default: 0] |= mask
          _ = queue.push(.entityChanged(entity, mask: mask))
        }
      case 5:
        if waiting < limit {
          raised.append(UInt16(16 + raised.count % 60_000))
          waiting += 1
          #expect(queue.push(event(raised[raised.count - 1])))
        }
      default:
        tick += 1
        _ = queue.push(.frame(Tick(tick)))
      }
      mostSlots = max(mostSlots, queue.slotCount)
      while random.below(20) < readShare, queue.hasNotices {
        guard let notice = await queue.next() else { break }
        if case .event = notice { waiting -= 1 }
        game.take(notice, changes: &seen)
      }
    }
    // A removal, a creation and a change of each, the frames, the events; as many holes, and 65.
    #expect(mostSlots <= 2 * (3 * entities + 2 + limit) + 65)
    queue.finish(.left)
    while let notice = await queue.next() { game.take(notice, changes: &seen) }
    #expect(game.entities == alive)
    #expect(game.events == raised)
    for entity in alive { #expect(seen[entity] == changed[entity]) }
  }

  private struct Random {
    var state: UInt64

    mutating func below(_ bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
  }
}

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

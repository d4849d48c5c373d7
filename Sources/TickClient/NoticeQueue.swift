import EventLoop

/// The notices of a room between the loop's thread and the one task that reads them.
///
/// Memory is bounded whatever the reader does. Of each entity at most a removal, a creation and one merged change wait;
/// of frames one, of the connection two; everything else counts against a limit, at which transient events are dropped
/// and a reliable one ends the room. Slots are at most twice those notices, and 64.
final class NoticeQueue: Sendable {
  private let state: Locked<State>

  /// - Parameter limit: most waiting notices other than those of state.
  init(limit: Int) {
    state = Locked(State(limit: limit))
  }

  /// Adds a notice.
  ///
  /// - Returns: false when it is one that must not be lost and there is no room for it: the queue has then ended.
  func push(_ notice: RoomNotice, mayBeLost: Bool = false) -> Bool {
    state.withLock { state in
      guard !state.isFinished else { return true }
      let isTaken = state.add(notice, mayBeLost: mayBeLost)
      if !isTaken { state.finish(.consumerTooSlow(limit: state.limit)) }
      state.wakeReader()
      return isTaken
    }
  }

  /// Slots held, holes included: what the memory bound is about.
  var slotCount: Int { state.withLock { $0.slotCount } }

  /// Whether ``next()`` returns at once.
  var hasNotices: Bool { state.withLock { $0.hasNotices } }

  /// No more notices: the reader gets what waits, then the end.
  func finish(_ end: RoomEnd) {
    state.withLock { state in
      state.finish(end)
      state.wakeReader()
    }
  }

  /// The next notice, waiting for it; nil after the end, and when the task was cancelled.
  func next() async -> RoomNotice? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { reader in
        state.withLock { state in
          // A second reader takes the place of the first, which gets nil.
          state.reader?.resume(returning: nil)
          state.reader = nil
          if Task.isCancelled {
            reader.resume(returning: nil)
          } else {
            state.reader = reader
            state.wakeReader()
          }
        }
      }
    } onCancel: {
      state.withLock { state in
        state.reader?.resume(returning: nil)
        state.reader = nil
      }
    }
  }
}

extension NoticeQueue {
  private struct State {
    let limit: Int
    var reader: CheckedContinuation<RoomNotice?, Never>?
    private(set) var isFinished = false
    /// Waiting notices in order; nil where one was read, merged or cancelled out.
    private var slots: [RoomNotice?] = []
    /// Everything before it was read.
    private var head = 0
    private var live = 0
    /// Waiting notices that count against the limit.
    private var counted = 0
    /// Where the notices of an entity wait.
    private var places: [EntityID: Places] = [:]
    private var frames = WaitingFrame.none
    /// Where the notices of the connection wait: a loss, and the return that ended it.
    private var lost: Int?
    private var resumed: Int?

    /// Slots whose memory is kept for the next notices; more than a busy frame needs.
    private static let keptSlots = 1_024

    /// Of several frames the reader is told the last. A reader that is always a little behind must still be told one now
    /// and then, since games redraw on it: as soon as it reads on, the frame that waits keeps its place in the line.
    private enum WaitingFrame {
      case none
      /// At this slot, and nothing was read since: the next frame takes its place, at the end.
      case movable(Int)
      /// At this slot for good. The last frame after it follows at the end once this one was read.
      case fixed(Int, next: Tick?)
    }

    private struct Places {
      var created: Int?
      var changed: Int?
    }

    init(limit: Int) {
      self.limit = limit
    }

    var slotCount: Int { slots.count }
    var hasNotices: Bool { live > 0 }

    mutating func wakeReader() {
      guard let waiting = reader else { return }
      if let notice = pop() {
        reader = nil
        waiting.resume(returning: notice)
      } else if isFinished {
        reader = nil
        waiting.resume(returning: nil)
      }
    }

    mutating func finish(_ end: RoomEnd) {
      guard !isFinished else { return }
      if case .movable(let place) = frames { drop(place) }
      frames = .none
      append(.ended(end))
      isFinished = true
    }

    mutating func add(_ notice: RoomNotice, mayBeLost: Bool) -> Bool {
      switch notice {
      case .frame(let tick): add(tick)
      case .disconnected:
        for place in [lost, resumed] { if let place { drop(place) } }
        resumed = nil
        lost = append(notice)
      case .resumed:
        if let resumed { drop(resumed) }
        resumed = append(notice)
      case .entityCreated(let entity, _):
        places[entity, default: Places()].created = append(notice)
      case .entityChanged(let entity, let mask):
        if let place = places[entity]?.changed, case .entityChanged(_, let old) = slots[place] {
          slots[place] = .entityChanged(entity, mask: old | mask)
        } else {
          places[entity, default: Places()].changed = append(notice)
        }
      case .entityRemoved(let entity):
        let place = places.removeValue(forKey: entity)
        if let changed = place?.changed { drop(changed) }
        // One that the reader never heard of needs no farewell.
        if let created = place?.created { drop(created) } else { append(notice) }
      case .event, .whisper, .playerJoined, .playerLeft:
        guard counted < limit else { return mayBeLost }
        counted += 1
        append(notice)
      case .ended: append(notice)
      }
      return true
    }

    private mutating func add(_ tick: Tick) {
      switch frames {
      case .none: frames = .movable(append(.frame(tick)))
      case .movable(let place):
        drop(place)
        frames = .movable(append(.frame(tick)))
      case .fixed(let place, _): frames = .fixed(place, next: tick)
      }
    }

    @discardableResult
    private mutating func append(_ notice: RoomNotice) -> Int {
      // What was read counts as well: a reader that is always one behind never empties the queue.
      if slots.count > 2 * live + 64 { rebuild() }
      slots.append(notice)
      live += 1
      return slots.count - 1
    }

    private mutating func drop(_ place: Int) {
      slots[place] = nil
      live -= 1
    }

    private mutating func pop() -> RoomNotice? {
      while head < slots.count {
        let notice = slots[head]
        slots[head] = nil
        head += 1
        guard let notice else { continue }
        live -= 1
        if case .movable(let place) = frames { frames = .fixed(place, next: nil) }
        forget(notice)
        return notice
      }
      slots.removeAll(keepingCapacity: slots.count <= Self.keptSlots)
      head = 0
      return nil
    }

    private mutating func forget(_ notice: RoomNotice) {
      switch notice {
      case .entityCreated(let entity, _):
        if places[entity]?.changed == nil { places[entity] = nil } else { places[entity]?.created = nil }
      case .entityChanged(let entity, _):
        if places[entity]?.created == nil { places[entity] = nil } else { places[entity]?.changed = nil }
      case .frame:
        guard case .fixed(_, let next?) = frames else {
          frames = .none
          break
        }
        frames = .movable(append(.frame(next)))
      case .disconnected: lost = nil
      case .resumed: resumed = nil
      case .entityRemoved, .ended: break
      case .event, .whisper, .playerJoined, .playerLeft: counted -= 1
      }
    }

    /// Closes the holes, so that a reader that sleeps or is always a little behind costs no more, however much comes.
    private mutating func rebuild() {
      slots = slots[head...].filter { $0 != nil }
      head = 0
      places.removeAll(keepingCapacity: places.count <= Self.keptSlots)
      for (place, notice) in slots.enumerated() {
        switch notice {
        case .entityCreated(let entity, _): places[entity, default: Places()].created = place
        case .entityChanged(let entity, _): places[entity, default: Places()].changed = place
        case .frame:
          switch frames {
          case .none: break
          case .movable: frames = .movable(place)
          case .fixed(_, let next): frames = .fixed(place, next: next)
          }
        case .disconnected: lost = place
        case .resumed: resumed = place
        default: break
        }
      }
    }
  }
}

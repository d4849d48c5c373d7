import Synchronization

/// The notices of a room between the loop's thread and the one task that reads them.
///
/// Memory is bounded whatever the reader does: of each entity at most a removal, a creation and one merged change wait;
/// everything else counts against a limit, at which transient events are dropped and a reliable one ends the room.
final class NoticeQueue: Sendable {
  private let state: Mutex<State>

  /// - Parameter limit: most waiting notices other than those of state.
  init(limit: Int) {
    state = Mutex(State(limit: limit))
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
    /// Waiting notices in order; nil where one was merged or cancelled out.
    private var slots: [RoomNotice?] = []
    private var head = 0
    private var live = 0
    /// Waiting notices that count against the limit.
    private var counted = 0
    /// Where the notices of an entity wait.
    private var places: [EntityID: Places] = [:]
    /// Told when everything before it was: of several waiting ones the last is enough.
    private var frame: Tick?

    private struct Places {
      var created: Int?
      var changed: Int?
    }

    init(limit: Int) {
      self.limit = limit
    }

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
      frame = nil
      append(.ended(end))
      isFinished = true
    }

    mutating func add(_ notice: RoomNotice, mayBeLost: Bool) -> Bool {
      switch notice {
      case .frame(let tick): frame = tick
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
      default:
        guard counted < limit else { return mayBeLost }
        counted += 1
        append(notice)
      }
      return true
    }

    @discardableResult
    private mutating func append(_ notice: RoomNotice) -> Int {
      if slots.count - head > 2 * live + 64 { rebuild() }
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
        forget(notice)
        return notice
      }
      slots.removeAll(keepingCapacity: true)
      head = 0
      defer { frame = nil }
      return frame.map { .frame($0) }
    }

    private mutating func forget(_ notice: RoomNotice) {
      switch notice {
      case .entityCreated(let entity, _):
        if places[entity]?.changed == nil { places[entity] = nil } else { places[entity]?.created = nil }
      case .entityChanged(let entity, _):
        if places[entity]?.created == nil { places[entity] = nil } else { places[entity]?.changed = nil }
      case .entityRemoved, .frame, .ended: break
      default: counted -= 1
      }
    }

    /// Closes the holes, so that a reader that sleeps while entities come and go costs no more.
    private mutating func rebuild() {
      slots = slots[head...].filter { $0 != nil }
      head = 0
      places.removeAll(keepingCapacity: true)
      for (place, notice) in slots.enumerated() {
        switch notice {
        case .entityCreated(let entity, _): places[entity, default: Places()].created = place
        case .entityChanged(let entity, _): places[entity, default: Places()].changed = place
        default: break
        }
      }
    }
  }
}

import WireFormat

/// How the bytes of events that one tick has are shared among the members whose events wait for it.
///
/// While all that waits fits, nobody is asked. Else one event after the other is given its place, each time to the member who
/// has had least so far: who raises little has it raised at once, whatever the others do, and who raises more shares the rest,
/// byte for byte over the ticks.
struct EventShares {
  /// One member's events that wait.
  struct Queue {
    /// What it has had, more than the member that had least; see ``EventCredit/served``.
    var served: Int
    /// Bytes of its events, oldest first.
    var sizes: [Int]
    /// Bytes of those that have their place in this tick.
    fileprivate(set) var allowed = 0
    fileprivate var next = 0

    init(served: Int, sizes: [Int] = []) {
      self.served = served
      self.sizes = sizes
    }
  }

  /// Whether not all that waits fits this tick.
  private(set) var isBound = false

  /// What an Event takes of a tick: nothing when it is for one player.
  static func bytes(of body: Span<UInt8>) -> Int {
    let isForOne = body.count > 1 && body[1] == 2
    return isForOne ? 0 : RoomEvent.overhead + body.count
  }

  /// Begins a tick in which all that waits fits.
  mutating func beginWithoutBound() { isBound = false }

  /// Begins a tick: says what each member is allowed.
  mutating func begin(budget: Int, among queues: inout [Queue]) {
    isBound = true
    Self.share(budget, among: &queues)
  }

  static func share(_ budget: Int, among queues: inout [Queue]) {
    // Those who may still get something, as a heap: who had least is first.
    var heap = queues.indices.filter { !queues[$0].sizes.isEmpty }
    for start in (0..<(heap.count / 2)).reversed() { sink(start, in: &heap, queues) }
    var left = budget
    while let first = heap.first {
      let size = queues[first].sizes[queues[first].next]
      let fits = size <= left
      if fits {
        left -= size
        queues[first].allowed += size
        queues[first].served += size
        queues[first].next += 1
      }
      // One that does not fit goes first in the next tick: its sender has had least by then.
      if !fits || queues[first].next == queues[first].sizes.count {
        heap[0] = heap[heap.count - 1]
        heap.removeLast()
      }
      sink(0, in: &heap, queues)
    }
    let least = queues.lazy.filter { $0.next < $0.sizes.count }.map(\.served).min() ?? 0
    for index in queues.indices { queues[index].served = max(0, queues[index].served - least) }
  }

  private static func sink(_ start: Int, in heap: inout [Int], _ queues: [Queue]) {
    var parent = start
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if (queues[heap[child]].served, heap[child]) < (queues[heap[least]].served, heap[least]) { least = child }
      }
      guard least != parent else { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}

/// A member's part in ``EventShares``.
struct EventCredit {
  /// What it has had of the last ticks, more than the member that had least; 0 for one who had nothing waiting.
  private(set) var served = 0
  /// Bytes that it may still raise in ``tick``.
  private var allowed = 0
  /// The last tick in which its events did not all fit.
  private var tick: UInt32?
  /// Its place among the queues of that tick.
  private(set) var queue = 0

  /// Notes that it is to have a share of a tick.
  ///
  /// - Returns: false when that was noted before.
  mutating func joins(_ queue: Int, in now: UInt32) -> Bool {
    guard tick != now else { return false }
    // Who had nothing waiting in between begins anew.
    if tick.map({ $0 &+ 1 }) != now { served = 0 }
    (tick, self.queue) = (now, queue)
    return true
  }

  mutating func take(_ share: EventShares.Queue) { (served, allowed) = (share.served, share.allowed) }

  /// - Returns: false when its share is used up.
  mutating func spend(_ bytes: Int) -> Bool {
    guard bytes <= allowed else { return false }
    allowed -= bytes
    return true
  }
}

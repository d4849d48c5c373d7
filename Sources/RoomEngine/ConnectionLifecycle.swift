package import WireFormat

/// How a connection ends. One machine decides it for all that can come together (an overflow and an end of stream, a
/// kick and a shutdown), so that whatever the connection holds is let go exactly once: its seat or claim, its buffers,
/// its descriptor and handle, its place among the limited connections.
///
/// | state | still held | left by |
/// | --- | --- | --- |
/// | open | everything | `ended`, `handedOver` |
/// | parting | everything; the goodbye is being offered to the socket, within one call | `farewell` |
/// | lingering | descriptor, handle, place; the peer may read the goodbye | `clock` after the deadline, `streamClosed` |
/// | closing | handle, place | `streamClosed` |
/// | gone | nothing | - |
///
/// Every way to end is a ``WireFormat/CloseReason``; the first one counts, all others find the connection ended. Events
/// in, one action out: the shell performs it and decides nothing.
package struct ConnectionLifecycle: Equatable, Sendable {
  package enum State: Equatable, Sendable {
    case open
    case parting(CloseReason)
    case lingering(CloseReason, until: Instant)
    /// Of a reason, or handed over to another loop.
    case closing(CloseReason?)
    case gone(CloseReason?)
  }

  package enum Event: Equatable, Sendable {
    /// Its reason to end. `canTell`: the stream is at a message's end, and worth a word.
    case ended(CloseReason, canTell: Bool)
    /// What became of the goodbye that ``Action/part(_:)`` asked for.
    case farewell(Farewell, now: Instant)
    /// Its descriptor is another loop's now.
    case handedOver
    /// Time has passed.
    case clock(now: Instant)
    /// The handle and the descriptor, if it still had one, are closed.
    case streamClosed
  }

  package enum Action: Equatable, Sendable {
    case none
    /// Count and log the end, say goodbye when it asks for one, then report the ``Event/farewell(_:now:)``.
    case part(Departure)
    /// End the stream, and only then let go of the seat (or keep it for the grace period) and of all buffers: until
    /// then the stream may be reading them.
    case letGo(StreamEnding, keepsSeat: Bool)
    /// The peer had its time: tear the stream down.
    case reset
    /// Nothing is held any more: give slot and place back.
    case release(Place)
  }

  /// The end of a connection as its peer, the log and the ledger learn it.
  package struct Departure: Equatable, Sendable {
    package let reason: CloseReason
    /// Whether a goodbye is to be said.
    package let isTold: Bool
    /// What the goodbye says about coming back; nil for any time.
    package let retryAfterMilliseconds: UInt32?
  }

  package enum Farewell: Equatable, Sendable {
    /// The socket took the goodbye whole.
    case said
    /// None was asked for, or the socket did not take it.
    case unsaid
  }

  /// How the stream ends.
  package enum StreamEnding: Equatable, Sendable {
    /// FIN after the goodbye; input is discarded until the peer ends too.
    case flush
    /// Nobody is there to be told.
    case close
    /// A peer that takes nothing would keep what waits for it in the kernel for minutes after a close.
    case reset
    /// Already off this loop.
    case detached
  }

  /// What a connection counts as among the limited ones.
  package enum Place: Equatable, Sendable {
    case admitted
    /// Is being told that there is no place.
    case refused
    case none
  }

  /// How long a peer that was told goodbye may take to end on its side.
  package static let lingerNanoseconds: UInt64 = 2_000_000_000

  /// When who was turned away for want of memory should come back.
  package static let overBudgetRetryMilliseconds: UInt32 = 5000

  package private(set) var state = State.open
  private var place: Place

  /// An open connection that takes this place.
  package init(place: Place = .admitted) {
    self.place = place
  }

  package var isOpen: Bool { state == .open }

  package mutating func handle(_ event: Event) -> Action {
    switch (state, event) {
    case (.open, .ended(let reason, let canTell)):
      state = .parting(reason)
      return .part(
        Departure(
          reason: reason, isTold: canTell && reason.isTold, retryAfterMilliseconds: Self.retryAfter(reason)))
    case (.open, .handedOver):
      state = .closing(nil)
      // It goes on elsewhere, with its place; its seat, if any, is not here.
      place = .none
      return .letGo(.detached, keepsSeat: true)
    case (.parting(let reason), .farewell(let farewell, let now)):
      return part(reason, farewell, now)
    case (.lingering(let reason, let until), .clock(let now)) where now > until:
      state = .closing(reason)
      return .reset
    case (.lingering(let reason, _), .streamClosed):
      return release(reason)
    case (.closing(let reason), .streamClosed):
      return release(reason)
    // Whatever comes second: the connection ends as it has begun to.
    case (.parting, _), (.lingering, _), (.closing, _), (.gone, _): return .none
    case (.open, .farewell), (.open, .clock), (.open, .streamClosed): return .none
    }
  }

  private mutating func part(_ reason: CloseReason, _ farewell: Farewell, _ now: Instant) -> Action {
    let ending: StreamEnding
    switch farewell {
    case .said:
      ending = .flush
      state = .lingering(reason, until: now.advanced(byNanoseconds: Self.lingerNanoseconds))
    case .unsaid:
      ending = reason.isTold ? .reset : .close
      state = .closing(reason)
    }
    return .letGo(ending, keepsSeat: reason.retry != .never)
  }

  private mutating func release(_ reason: CloseReason?) -> Action {
    state = .gone(reason)
    return .release(place)
  }

  /// Reasons that pass by themselves: all coming back at once would only be turned away again.
  private static func retryAfter(_ reason: CloseReason) -> UInt32? {
    switch reason {
    case .draining, .connectionLimit: 1000
    case .overBudget: overBudgetRetryMilliseconds
    default: nil
    }
  }
}

extension JoinRefused {
  /// For a while the memory is too short; `text` is what there is none for.
  package static func shortOfMemory(_ text: String) -> JoinRefused {
    JoinRefused(
      .overBudget, retryAfterMilliseconds: ConnectionLifecycle.overBudgetRetryMilliseconds,
      text: "the server is short of memory \(text): try again later")
  }
}

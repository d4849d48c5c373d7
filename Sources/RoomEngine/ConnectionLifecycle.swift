package import WireFormat

/// How a connection ends. One machine decides it for all that can come together (an overflow and an end of stream, a
/// kick and a shutdown), so that whatever the connection holds is let go exactly once: its seat or claim, its buffers,
/// its descriptor and handle, its place among the limited connections, and what the kernel keeps for its peer.
///
/// | state | still held | left by |
/// | --- | --- | --- |
/// | open | everything | `ended`, `handedOver` |
/// | parting | everything; the goodbye is being offered to the socket, within one call | `farewell` |
/// | flushing | descriptor, handle, place; bytes that the peer has not acknowledged | `looked`, `peerEnded`, `displaced` |
/// | lingering | descriptor, handle, place; the peer may read the goodbye | `looked`, `peerEnded`, `displaced` |
/// | closing | handle, place | `streamClosed` |
/// | gone | nothing | - |
///
/// Bytes that have not left are given up by a reset only: the kernel would keep them after a close, for as long as the
/// peer answers its probes.
///
/// Every way to end is a ``WireFormat/CloseReason``; the first one counts, all others find the connection ended. Events
/// in, one action out: the shell performs it and decides nothing.
package struct ConnectionLifecycle: Equatable, Sendable {
  package enum State: Equatable, Sendable {
    case open
    /// `isWhole`: the stream is at a message's end.
    case parting(CloseReason, isWhole: Bool)
    case flushing(CloseReason, peerHasEnded: Bool, until: Instant)
    case lingering(CloseReason, until: Instant)
    /// Of a reason, or handed over to another loop.
    case closing(CloseReason?)
    case gone(CloseReason?)
  }

  package enum Event: Equatable, Sendable {
    /// Its reason to end. `canTell`: the stream is at a message's end, and worth a word.
    case ended(CloseReason, canTell: Bool)
    /// What became of the goodbye that ``Action/part(_:)`` asked for. `patience`: nanoseconds in which the peer has to
    /// acknowledge what waits for it.
    case farewell(Farewell, patience: UInt64, now: Instant)
    /// Its descriptor is another loop's now.
    case handedOver
    /// Bytes that the kernel holds of it, as of now. Told once the end has begun, and at every sweep.
    case looked(unsentBytes: Int, now: Instant)
    /// The peer has ended too. Nothing is unsent when the connection is gone.
    case peerEnded(unsentBytes: Int)
    /// Its place is wanted by another one.
    case displaced(unsentBytes: Int)
    /// The handle and the descriptor, if it still had one, are closed.
    case streamClosed
  }

  package enum Action: Equatable, Sendable {
    case none
    /// Count and log the end, say goodbye when it asks for one, then report the farewell.
    case part(Departure)
    /// End the stream, and only then let go of the seat (or keep it for the grace period) and of all buffers: until
    /// then the stream may be reading them.
    case letGo(StreamEnding, keepsSeat: Bool)
    /// Everything has left and the peer has ended: close the stream.
    case close
    /// The peer has taken its goodbye and was told to end: close the stream and leave the wait for it to the kernel.
    case closeUnawaited
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
  }

  package enum Farewell: Equatable, Sendable {
    /// The socket took the goodbye whole.
    case said
    /// None was asked for, or the socket did not take it.
    case unsaid
  }

  /// How the stream ends.
  package enum StreamEnding: Equatable, Sendable {
    /// FIN after what the kernel holds; input is discarded until the peer ends too. Then look at what is unsent.
    case flush
    /// A message is cut, or nobody is there to read it.
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

  /// How long a peer that has taken its goodbye may take to end on its side.
  package static let lingerNanoseconds: UInt64 = 2_000_000_000

  /// What the kernel counts for the end of our direction.
  private static let finBytes = 1

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
      state = .parting(reason, isWhole: canTell)
      return .part(Departure(reason: reason, isTold: canTell && reason.isTold))
    case (.open, .handedOver):
      state = .closing(nil)
      // It goes on elsewhere, with its place; its seat, if any, is not here.
      place = .none
      return .letGo(.detached, keepsSeat: true)
    case (.parting(let reason, let isWhole), .farewell(let farewell, let patience, let now)):
      return part(reason, isWhole, farewell, until: now.advanced(byNanoseconds: max(patience, Self.lingerNanoseconds)))

    case (.flushing(let reason, let peerHasEnded, let until), .looked(let unsentBytes, let now)):
      return flushed(reason, peerHasEnded, unsentBytes, until, now)
    case (.flushing(let reason, _, _), .peerEnded(unsentBytes: 0)):
      state = .closing(reason)
      return .close
    case (.flushing(let reason, _, let until), .peerEnded):
      state = .flushing(reason, peerHasEnded: true, until: until)
      return .none
    case (.flushing(let reason, _, _), .displaced(let unsentBytes)):
      state = .closing(reason)
      return unsentBytes <= Self.finBytes ? .closeUnawaited : .reset

    case (.lingering(let reason, let until), .looked(_, let now)) where now > until:
      state = .closing(reason)
      return .reset
    case (.lingering(let reason, _), .peerEnded):
      state = .closing(reason)
      return .close
    case (.lingering(let reason, _), .displaced):
      state = .closing(reason)
      return .closeUnawaited

    case (.flushing(let reason, _, _), .streamClosed), (.lingering(let reason, _), .streamClosed):
      return release(reason)
    case (.closing(let reason), .streamClosed):
      return release(reason)
    // Whatever comes second: the connection ends as it has begun to.
    case (.parting, _), (.flushing, _), (.lingering, _), (.closing, _), (.gone, _): return .none
    case (.open, .farewell), (.open, .looked), (.open, .peerEnded), (.open, .displaced), (.open, .streamClosed):
      return .none
    }
  }

  private mutating func part(
    _ reason: CloseReason, _ isWhole: Bool, _ farewell: Farewell, until: Instant
  ) -> Action {
    let ending: StreamEnding
    switch farewell {
    case .said:
      ending = .flush
      state = .flushing(reason, peerHasEnded: false, until: until)
    // It may still read, to the end of what the kernel has for it.
    case .unsaid where reason == .peerClosed && isWhole:
      ending = .flush
      state = .flushing(reason, peerHasEnded: true, until: until)
    case .unsaid:
      ending = .reset
      state = .closing(reason)
    }
    return .letGo(ending, keepsSeat: reason.retry != .never)
  }

  private mutating func flushed(
    _ reason: CloseReason, _ peerHasEnded: Bool, _ unsentBytes: Int, _ until: Instant, _ now: Instant
  ) -> Action {
    switch (unsentBytes, peerHasEnded) {
    case (0, true):
      state = .closing(reason)
      return .close
    case (0, false):
      state = .lingering(reason, until: now.advanced(byNanoseconds: Self.lingerNanoseconds))
      return .none
    default:
      guard now > until else { return .none }
      state = .closing(reason)
      return .reset
    }
  }

  private mutating func release(_ reason: CloseReason?) -> Action {
    state = .gone(reason)
    return .release(place)
  }
}

extension JoinRefused {
  /// For a while the memory is too short; `text` is what there is none for. The shell spreads when to come back.
  package static func shortOfMemory(_ text: String) -> JoinRefused {
    JoinRefused(
      .overBudget, retryAfterMilliseconds: RetryAfter.overBudgetMilliseconds,
      text: "the server is short of memory \(text): try again later")
  }
}

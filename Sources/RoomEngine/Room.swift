public import WireFormat

/// A running game: its entities, its players and its clock. A game's ``RoomLogic`` is handed its room with every call
/// and changes it through the methods of `Room+Game.swift`.
///
/// Confined to one loop; never touch it from another thread or after the call that handed it to you.
public final class Room {
  /// The name that clients join by.
  public let name: String
  /// Its definition.
  public let kind: RoomKind
  /// The tick that is being run, or was run last.
  @exclusivity(unchecked) public internal(set) var tick = Tick(0)
  /// Whether new players are kept out; see ``lock()``.
  public internal(set) var isLocked = false
  /// The tick by which the game should be done because the server is about to stop; nil while it is not. See
  /// ``RoomLogic/ending(_:deadline:)``.
  public internal(set) var deadline: Tick?
  /// Whether players may still join while the server is about to stop. False from the start: a match that goes on with
  /// those who are in it. Set it at any time, for a match that can't be finished without a player who is missing.
  /// Players who lost their connection come back to their seats in either case.
  public var acceptsPlayersWhileEnding = false

  let context: EngineContext
  let logic: any RoomLogic
  /// When tick 0 was due.
  package let start: Instant
  /// The shell's server clock at tick 0, for clients.
  let startMicroseconds: UInt64
  @exclusivity(unchecked) var now: Instant

  // State.
  @exclusivity(unchecked) var tables: [TrackedTable]
  var entityIDs: [IDAllocator]
  var owned: OwnedEntities
  @exclusivity(unchecked) var inputScratch: [EntityTable]

  // Players.
  /// By player id; grows as ids rest.
  @exclusivity(unchecked) var seats: [Seat?]
  var playerIDs: IDAllocator
  var seatCount = 0
  var generations: UInt32 = 0
  /// Members with a connection, for the loop over all of them each tick.
  @exclusivity(unchecked) package internal(set) var attached: ContiguousArray<Delivery> = []
  /// Of the attached members, in the same order.
  @exclusivity(unchecked) var standings: ContiguousArray<UnsafeMutablePointer<Standing>> = []
  /// Who is left when the newest frame has been offered to all; see ``deliverNewestFrame(now:_:others:)``.
  @exclusivity(unchecked) var roundRest: ContiguousArray<Delivery> = []
  /// Seats given up since the last tick began: a game may give one up in the middle of its player's message.
  @exclusivity(unchecked) var freedSeats: [Seat] = []
  /// Seats whose player is away.
  @exclusivity(unchecked) var away = AbsentSeats()
  @exclusivity(unchecked) var inbox = Inbox()
  @exclusivity(unchecked) var spareInbox = Inbox()
  /// Messages are applied as they are received: within a tick, behind the inbox.
  @exclusivity(unchecked) var isTakingIn = false
  var emptySince: Instant

  // Output.
  @exclusivity(unchecked) package internal(set) var frames: FrameLog
  @exclusivity(unchecked) package internal(set) var events: EventLog
  @exclusivity(unchecked) var tickEvents = Outbox()
  @exclusivity(unchecked) var tickReliable = Outbox()
  @exclusivity(unchecked) var tickEventCount = 0
  @exclusivity(unchecked) var tickReliableCount = 0
  @exclusivity(unchecked) var eventShares = EventShares()
  var callInProgress: UInt32?
  /// Which of the game's calls is running.
  @exclusivity(unchecked) var gameCall = GameFault.Call.outside
  /// Faults of the game that the shell was told of since the last tick began.
  var faultsTold = 0
  @exclusivity(unchecked) var keyframe: (number: UInt64, buffer: PooledBuffer)?
  /// Since when ticks come without a long pause.
  @exclusivity(unchecked) var awakeSince: Instant
  /// Bytes of the last keyframe that was made; nil before the first.
  @exclusivity(unchecked) package internal(set) var keyframeBytes: Int?
  /// Who was seated in this tick.
  @exclusivity(unchecked) var newcomers: [Delivery] = []
  @exclusivity(unchecked) var lastSeal: Instant
  let heartbeatNanoseconds: UInt64
  @exclusivity(unchecked) package internal(set) var effects: [RoomEffect] = []
  /// Seats given, lost, resumed and given up since they were last taken by ``takeSeatCharges(_:)``.
  @exclusivity(unchecked) var seatCharges: [SeatCharge] = []
  @exclusivity(unchecked) package internal(set) var counters = RoomCounters()
  @exclusivity(unchecked) package internal(set) var isClosed = false
  /// What members are told when the room ends after this tick; nil while it goes on.
  @exclusivity(unchecked) package internal(set) var ending: String?
  /// The game has not been told its deadline.
  @exclusivity(unchecked) var isDeadlineNews = false

  /// Player ids beyond the capacity, so that those of players who left rest.
  static let leastRestingIDs = 1024

  /// Opens a room and lets its logic make the first entities.
  ///
  /// - Parameters:
  ///   - start: when tick 0 is due.
  ///   - startMicroseconds: the same moment on the server clock that clients see.
  package init(name: String, kind: RoomKind, context: EngineContext, start: Instant, startMicroseconds: UInt64) {
    self.name = name
    self.kind = kind
    self.context = context
    self.start = start
    self.startMicroseconds = startMicroseconds
    now = start
    emptySince = start
    awakeSince = start
    lastSeal = start
    logic = kind.makeLogic()
    heartbeatNanoseconds = kind.limits.heartbeat.wholeNanoseconds
    let rest = kind.limits.frameLogFrames
    tables = kind.schema.layouts.map { TrackedTable($0) }
    entityIDs = kind.schema.kinds.map { IDAllocator(capacity: $0.capacity, restTicks: rest) }
    inputScratch = InputReader.scratch(kind.schema)
    let players = kind.playerIDs
    playerIDs = IDAllocator(capacity: players, restTicks: rest)
    owned = OwnedEntities(capacities: kind.schema.kinds.map(\.capacity), players: players)
    seats = Array(repeating: nil, count: kind.capacity)
    frames = FrameLog(frames: rest, bytes: kind.limits.frameLogBytes)
    events = EventLog(events: kind.limits.eventLogEvents, bytes: kind.limits.eventLogBytes)
    context.prepare(for: kind.schema)
    calling(.opened) { logic.opened(self) }
  }

  /// Seats taken, those of absent players included.
  public var playerCount: Int { seatCount }

  /// The players, ascending.
  public var players: [PlayerID] { seats.compactMap { $0?.player } }

  /// When tick `number` is due; computed from the number, so that nothing drifts.
  package func due(_ number: UInt32) -> Instant {
    let rate = UInt64(kind.tickRate)
    let whole = UInt64(number) / rate
    let part = UInt64(number) % rate
    return start.advanced(byNanoseconds: whole * 1_000_000_000 + part * 1_000_000_000 / rate)
  }

  /// Who is in a room.
  package enum Occupancy: Equatable, Sendable {
    /// Somebody, or somebody is about to be.
    case occupied
    /// Nobody, and seats are kept for players who may come back.
    case absent
    case empty
  }

  package var occupancy: Occupancy {
    guard attached.isEmpty, inbox.joins == 0 else { return .occupied }
    return seatCount > 0 ? .absent : .empty
  }

  /// Whether nobody is here: now, or for the linger time. Nobody is waited for while the server is about to stop.
  package func isAbandoned(now: Instant, lingers: Bool = true) -> Bool {
    guard seatCount == 0, inbox.isEmpty else { return false }
    return !lingers || deadline != nil || now.nanoseconds(since: emptySince) > kind.limits.linger.wholeNanoseconds
  }

  /// The number of the newest tick that is due by then.
  package func tick(dueBy moment: Instant) -> Tick {
    // Seconds and their fraction apart: the product of a long time would not fit 64 bits.
    let (rate, nanoseconds) = (UInt64(kind.tickRate), moment.nanoseconds(since: start))
    let whole = nanoseconds / 1_000_000_000 * rate
    // Due times are rounded down.
    let rest = ((nanoseconds % 1_000_000_000 + 1) * rate - 1) / 1_000_000_000
    return Tick(UInt32(clamping: whole + rest))
  }

  /// The server is about to stop: the next tick tells the game. A deadline only ever moves closer.
  package func prepareToEnd(by moment: Instant) {
    let tick = tick(dueBy: moment)
    guard tick < deadline ?? Tick(.max) else { return }
    deadline = tick
    isDeadlineNews = true
  }

  /// Takes the effects of the last tick, oldest first.
  package func takeEffects(_ perform: (RoomEffect) -> Void) {
    // By index: performing one may add others.
    var index = 0
    while index < effects.count {
      perform(effects[index])
      index += 1
    }
    effects.removeAll(keepingCapacity: true)
  }

  /// Takes what has changed in whom seats are charged to, oldest first.
  package func takeSeatCharges(_ perform: (SeatCharge) -> Void) {
    guard !seatCharges.isEmpty else { return }
    for charge in seatCharges { perform(charge) }
    seatCharges.removeAll(keepingCapacity: true)
  }

  /// Ends the room: every member is evicted, every buffer released. Safe to call again.
  package func close(_ reason: CloseReason, _ text: String) {
    guard !isClosed else { return }
    isClosed = true
    for delivery in attached { evict(delivery, reason, text) }
    for item in inbox.items {
      if case .join(let request) = item.entry { evict(request.delivery, reason, text) }
    }
    for seat in seats { if let seat { free(seat) } }
    frames.removeAll(pool: context.pool)
    events.removeAll(pool: context.pool)
    dropKeyframe()
    tickEvents.clear(pool: context.pool)
    tickReliable.clear(pool: context.pool)
    context.input.add(-inbox.messageBytes)
    inbox.clear(keeping: 0)
    context.settle()
  }

  func dropKeyframe() {
    if let keyframe { context.pool.release(keyframe.buffer) }
    keyframe = nil
  }
}

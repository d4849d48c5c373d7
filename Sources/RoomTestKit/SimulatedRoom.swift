public import RoomEngine
public import WireFormat

/// One room with its clients, without sockets and on simulated time: games test their ``RoomLogic`` with it.
///
/// ```swift
/// let room = SimulatedRoom(RoomKind("tag", schema: schema, capacity: 8) { Tag() })
/// let (ann, bob) = (room.join(), room.join())
/// room.advance(ticks: 30)
/// let runner = try #require(bob.ownEntities(avatar).first)
/// try bob.set(position, of: runner, to: SIMD2(3, 4))
/// room.advance(ticks: 1)
/// #expect(ann.get(position, of: runner) == SIMD2(3, 4))
/// bob.connection?.cut()
/// room.advance(by: .seconds(30))
/// #expect(ann.players == [ann.player])
/// #expect(room.faults.isEmpty)
/// ```
///
/// It does what a server's loop does: runs the ticks that are due, performs what they ask for, offers each member what
/// it has coming. Everything happens on the calling thread, within the call; the same seed and the same calls give the
/// same bytes.
public final class SimulatedRoom {
  /// Moves only by ``advance(by:)`` and ``advance(ticks:)``.
  public let clock: ManualClock
  /// The room itself, to look at and to change between ticks as its logic does within them.
  public let room: Room
  /// What broke the protocol, the engine's own rules, or is a fault of the game that a server would log: a reference to an
  /// entity that cannot exist, an entity for a player who has left. Empty unless something is wrong: a test of a game
  /// expects it to be empty.
  public package(set) var faults: [String] = []
  /// Cuts what clients and server read into pieces of random size.
  public var fragmentsReads = false
  /// Has some members, drawn anew each tick, read within the tick instead of as they send.
  package var readsAtTicks = false
  /// Called after every tick and what it sent.
  public var afterTick: (() -> Void)?

  /// Called with every new connection before anything goes over it.
  public var onConnect: ((SimulatedConnection) -> Void)?

  package let context: EngineContext
  var schedule: TickSchedule
  let place: TickSchedule.Place
  var random: SplitMix64
  /// Held here, or an optimised build could let one go after its last mention in a test.
  private var clients: [SimulatedClient] = []
  /// By number; nil once both sides are done with one.
  var connections: [SimulatedConnection?] = []
  var seats: [UInt64: Seat] = [:]
  var lastSession: UInt64 = 0
  private var clientsMade: UInt64 = 0
  var ledger: Ledger
  /// Streams whose close has not been reported.
  var openStreams = 0
  /// Since ``prepareToEnd(within:)``.
  private(set) var lameDuck: LameDuck?
  /// Of connections that do nothing; nil for none.
  package var deadlines: SimulatedDeadlines?

  /// Opens the room.
  ///
  /// - Parameter seed: of the random read sizes; see ``fragmentsReads``.
  public convenience init(_ kind: RoomKind, name: String = "room", seed: UInt64 = 1) {
    self.init(kind, name: name, seed: seed, context: EngineContext())
  }

  package init(_ kind: RoomKind, name: String = "room", seed: UInt64 = 1, context: EngineContext) {
    clock = ManualClock()
    self.context = context
    random = SplitMix64(seed: seed)
    schedule = TickSchedule(origin: clock.now, phases: 1)
    ledger = Ledger()
    ledger.openRoom()
    place = schedule.add(rate: kind.tickRate, now: clock.now)
    room = Room(
      name: name, kind: kind, context: context, start: place.start,
      startMicroseconds: place.start.nanoseconds / 1000)
  }

  // MARK: Clients

  /// A client that is connected and has asked for a seat; the next tick answers.
  public func join(options: [UInt8] = []) -> SimulatedClient {
    let client = connect()
    client.join(options: options)
    return client
  }

  /// A client that is connected and welcomed, and in no room.
  ///
  /// - Parameter schema: what the client was built with; nil for the room's own.
  public func connect(schema: Schema? = nil) -> SimulatedClient {
    clientsMade += 1
    // In 2001:db8::/32, which is for examples.
    let address = AddressKey(ipv6: 0x2001_0db8_0000_0000 + clientsMade, 0)
    let client = SimulatedClient(of: self, schema: schema ?? room.kind.schema, address: address)
    clients.append(client)
    client.connect()
    return client
  }

  /// Lets go of clients whose connections are over.
  package func forgetGoneClients() { clients.removeAll { !$0.isConnected } }

  // MARK: Time

  /// Moves the clock, tick by tick.
  public func advance(by duration: Duration) {
    let end = clock.now.advanced(byNanoseconds: duration.wholeNanoseconds)
    settle()
    while let due = schedule.next, due <= end, !room.isClosed {
      clock.advance(to: due)
      runDueTick()
    }
    clock.advance(to: end)
    settle()
  }

  /// Moves the clock by so many ticks, to the moment when the last of them is due.
  public func advance(ticks: Int) {
    settle()
    for _ in 0..<ticks {
      guard let due = schedule.next, !room.isClosed else { return }
      clock.advance(to: due)
      runDueTick()
    }
  }

  // MARK: The end

  /// Tells the room that the server is about to stop, as an operator does: the next tick calls
  /// ``RoomEngine/RoomLogic/ending(_:deadline:)``, new players are refused, and a room that still goes on after
  /// `time` is closed with `draining`. A second call counts when it is for an earlier moment.
  ///
  /// - Parameter time: the whole, up to 24 h; the game's deadline is before the last quarter of it, and at most 10 s before
  ///   its end.
  public func prepareToEnd(within time: Duration) {
    let lameDuck = LameDuck(nanoseconds: time.wholeNanoseconds, from: clock.now)
    guard lameDuck.until < self.lameDuck?.until ?? Instant(nanoseconds: .max) else { return }
    self.lameDuck = lameDuck
    room.prepareToEnd(by: lameDuck.closesFrom)
  }

  /// Ends the room: members are told `roomClosed`.
  public func close() {
    close(.roomClosed, "the test ended")
  }

  package func close(_ reason: CloseReason, _ text: String) {
    guard !room.isClosed else { return }
    room.close(reason, text)
    room.takeEffects(perform)
    schedule.remove(place)
    ledger.closeRoom()
    settle()
  }

  /// Buffers that anything of the room still holds: 0 once everybody is gone and the room is closed.
  public var heldBuffers: Int { context.pool.usage.leasedBuffers }

  /// Connections by the reason for which they ended.
  package var ends: [CloseReason: Int] { ledger.closed.mapValues { Int($0) } }

  package var pool: BufferPool { context.pool }
}

package import ClientCore
package import RoomEngine
public import WireFormat

/// A player of a ``SimulatedRoom``: the real client core over a simulated connection. What it receives is kept until
/// the test looks.
public final class SimulatedClient {
  unowned let room: SimulatedRoom
  package let core: ClientCore
  /// The connection that it has now, or had last.
  public private(set) var connection: SimulatedConnection?
  /// Connections that it has made.
  public private(set) var connectionCount = 0

  /// Game events, in the order in which they came.
  public internal(set) var events: [ReceivedEvent] = []
  /// Whispers, in the order in which they came.
  public internal(set) var whispers: [ReceivedEvent] = []
  /// Replies by the id that ``call(_:payload:)`` returned.
  public internal(set) var replies: [UInt32: ReceivedReply] = [:]
  /// Calls whose connection was lost before the reply.
  public internal(set) var lostCalls: [UInt32] = []
  /// Why the last join was refused; nil when it was not.
  public internal(set) var refusal: (reason: JoinRefusal?, text: String)?
  /// The reason of the last Goodbye, and its text.
  public internal(set) var goodbye: (reason: CloseReason?, text: String)?
  /// Sequence of the last input that the room has acknowledged; 0 before the first.
  public internal(set) var acknowledgedInput: UInt32 = 0
  /// Inputs that the room left out, or that were lost with a connection, as far as the client was told.
  public internal(set) var droppedInputs = 0
  /// Between which they lie.
  package internal(set) var droppedRanges: [Range<UInt32>] = []
  /// Reliable events of which it does not know whether the room has them.
  public internal(set) var eventsPerhapsLost = 0
  /// Joined, left and came back as often.
  package internal(set) var joins = 0
  package internal(set) var resumes = 0
  /// What `Joined` said of the present seat, and what had been received before it.
  package internal(set) var joinedEvent: UInt64 = 0
  var eventsBefore = 0
  var whispersBefore = 0
  package internal(set) var framesApplied = 0
  package internal(set) var keyframes = 0
  /// Called with every frame's tick, once its events have been told.
  package var onFrame: ((Tick) -> Void)?

  /// Whom its seats are charged to; everybody has an address of their own unless a test says otherwise.
  package var address: AddressKey

  init(of room: SimulatedRoom, schema: Schema, address: AddressKey) {
    self.room = room
    self.address = address
    core = ClientCore(
      ClientConfiguration(
        schema: schema, retry: RetryPolicy(attempts: .max), pingMilliseconds: 3_600_000,
        silenceMilliseconds: 3_600_000))
  }

  /// Events since it got its present seat.
  package var eventsOfThisSeat: ArraySlice<ReceivedEvent> { events[eventsBefore...] }
  /// Whispers since it got its present seat.
  package var whispersOfThisSeat: ArraySlice<ReceivedEvent> { whispers[whispersBefore...] }

  // MARK: Connections

  /// Makes a connection: with a seat to go back to it resumes, else it begins a session. An older connection that the
  /// server still has is forgotten here and superseded there.
  public func connect() {
    if let connection, !connection.isOver {
      connection.isOver = true
      _ = core.connectionEnded(jitter: 0, self)
    }
    guard (try? core.connect(now: microseconds)) != nil else { return }
    let connection = room.add(self)
    self.connection = connection
    connectionCount += 1
    room.exchange(over: connection)
  }

  /// Closes the connection in order: what was sent before still counts.
  public func disconnect() {
    guard let connection else { return }
    flush()
    connection.isClosedByClient = true
    room.settle()
  }

  /// Whether it has a connection.
  public var isConnected: Bool { connection.map { !$0.isOver } ?? false }

  /// Whether it has a seat and a connection.
  public var isInRoom: Bool { core.phase == .inRoom }

  // MARK: What it sees

  /// Its player id; nil without a seat.
  public var player: PlayerID? { core.seat?.player }

  /// The players in the room, ascending, as far as it knows.
  public var players: [PlayerID] { core.seat?.players ?? [] }

  /// Tick of the last frame.
  public var tick: Tick? { core.seat?.tick }

  /// The hash of the state that it sees; equal for all who see the same. See ``SimulatedRoom/stateHash``.
  public var stateHash: UInt64? { core.stateHash }

  /// The entities of a kind, ascending.
  public func entities(_ kind: KindIndex) -> [EntityID] {
    guard let table = table(kind) else { return [] }
    var found: [EntityID] = []
    table.forEach { found.append(EntityID(kind: kind, id: UInt16($0))) }
    return found
  }

  /// Its own entities of a kind, ascending.
  public func ownEntities(_ kind: KindIndex) -> [EntityID] { entities(kind).filter { owner(of: $0) == player } }

  /// The owner of an entity; nil when the server owns it or it does not exist.
  public func owner(of entity: EntityID) -> PlayerID? {
    guard let table = table(entity.kind), table.contains(Int(entity.id)) else { return nil }
    return table.owner(of: Int(entity.id))
  }

  /// The value of a field; nil when the entity does not exist.
  public func get<Value>(_ key: FieldKey<Value>, of entity: EntityID) -> Value? {
    guard let table = table(key.kind), entity.kind == key.kind, table.contains(Int(entity.id)) else { return nil }
    return table.load(key, Int(entity.id))
  }

  private func table(_ kind: KindIndex) -> EntityTable? {
    Int(kind.rawValue) < core.tables.count ? core.tables[Int(kind.rawValue)] : nil
  }

  // MARK: Bytes

  var microseconds: UInt64 { room.clock.now.nanoseconds / 1000 }

  func receive(_ bytes: Span<UInt8>, over connection: SimulatedConnection) {
    guard connection === self.connection, !connection.isOver else { return }
    _ = core.receive(bytes, now: microseconds, self)
  }

  func takeOutput() -> [UInt8] { core.takeOutput() }

  /// The stream has ended; the next ``connect()`` goes on from here.
  func connectionEnded(_ connection: SimulatedConnection) {
    guard connection === self.connection else { return }
    _ = core.connectionEnded(jitter: 0, self)
  }

  func flush() {
    if let connection, !connection.isOver { room.exchange(over: connection) }
  }
}

import RoomEngine
import WireFormat

/// A configuration while its layers are put on each other: rooms are still data, so that each value can be changed and
/// printed.
struct ConfigurationDraft {
  /// Everything but its room kinds, which `rooms` holds.
  var server: ServerConfiguration
  var rooms: [RoomDraft]

  /// The defaults of the `tickserver` program: one relay room.
  init() {
    server = ServerConfiguration(rooms: [])
    rooms = [.arena]
  }

  /// What a program passed in; its rooms keep their rules and schema.
  init(program configuration: ServerConfiguration) {
    server = configuration
    rooms = configuration.roomKinds.map(RoomDraft.init(program:))
  }
}

/// A room kind while it is put together.
struct RoomDraft {
  let name: String
  var tickRate = 30
  var capacity = 100
  var limits = RoomLimits()
  var rules: Rules

  enum Rules {
    /// Declared in the file, or the default.
    case relay([EntityDraft])
    /// Written in Swift: the schema and the logic are the program's.
    case program(RoomKind)
  }

  init(name: String, entities: [EntityDraft]) {
    self.name = name
    rules = .relay(entities)
  }

  init(program kind: RoomKind) {
    name = kind.name
    tickRate = kind.tickRate
    capacity = kind.capacity
    limits = kind.limits
    rules = .program(kind)
  }

  var isProgram: Bool {
    if case .program = rules { true } else { false }
  }

  /// Empty for rooms of the program.
  var entities: [EntityDraft] {
    get {
      if case .relay(let entities) = rules { entities } else { [] }
    }
    set {
      if case .relay = rules { rules = .relay(newValue) }
    }
  }

  /// The finished kind.
  ///
  /// - Throws: ``SchemaError`` when entities or fields are not valid.
  func roomKind() throws(SchemaError) -> RoomKind {
    switch rules {
    case .program(let kind):
      return RoomKind(
        name, schema: kind.schema, tickRate: tickRate, capacity: capacity, limits: limits, memory: kind.memory,
        makeLogic: kind.makeLogic)
    case .relay(let entities):
      let kinds = entities.map { EntityKind($0.name, capacity: $0.capacity(of: self), fields: $0.fields) }
      let grants = entities.enumerated().map { index, entity in
        RelayLogic.Grant(kind: KindIndex(UInt8(clamping: index)), atJoin: entity.atJoin, most: entity.mostOrAtJoin)
      }
      return RoomKind(
        name, schema: try Schema(kinds), tickRate: tickRate, capacity: capacity, limits: limits,
        makeLogic: { RelayLogic(grants: grants) })
    }
  }
}

/// An entity kind of a relay room.
struct EntityDraft {
  let name: String
  /// Entity ids; nil (`auto`) follows from the room's capacity.
  var capacity: Int?
  /// How many a player gets when it joins.
  var atJoin = 1
  /// How many a player may have; nil (`auto`) is as many as at join.
  var most: Int?
  var fields: [Field] = []

  var mostOrAtJoin: Int { most ?? atJoin }

  /// `auto`: enough for every player, and a quarter more because ids of removed entities rest for a while.
  func capacity(of room: RoomDraft) -> Int {
    if let capacity { return capacity }
    let (needed, overflow) = room.capacity.multipliedReportingOverflow(by: max(mostOrAtJoin, 1))
    guard !overflow, needed < WireLimits.entities else { return WireLimits.entities }
    return min(needed + (needed + 3) / 4, WireLimits.entities)
  }
}

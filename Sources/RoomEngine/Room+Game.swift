public import WireFormat

/// What a game's logic does with its room.
extension Room {
  // MARK: Entities

  /// Makes an entity in the zero state; it is removed when its owner leaves.
  ///
  /// - Parameter owner: who has a seat, connected or not; nil for the server. For a player who has left nothing is made:
  ///   its number may be another player's soon. That is a fault of the game, which is counted and logged.
  /// - Returns: nil when all ids of the kind are in use, or the owner has no seat.
  public func create(_ kind: KindIndex, owner: PlayerID? = nil) -> EntityID? {
    let index = Int(kind.rawValue)
    guard tables.indices.contains(index) else { return nil }
    if let owner, seat(of: owner) == nil {
      note(.owner, kind: kind)
      return nil
    }
    guard let id = entityIDs[index].take(at: tick) else { return nil }
    let generation = tables[index].current.generations[Int(id)] &+ 1
    tables[index].create(Int(id), generation: generation, owner: owner)
    let entity = EntityID(kind: kind, id: id)
    if let owner { owned.insert(entity, of: owner) }
    return entity
  }

  /// Removes an entity; one that is gone already is no error.
  public func remove(_ entity: EntityID) {
    let index = Int(entity.kind.rawValue)
    guard contains(entity) else { return }
    if let owner = owner(of: entity) { owned.remove(entity, of: owner) }
    tables[index].remove(Int(entity.id))
    entityIDs[index].giveBack(entity.id, at: tick)
  }

  /// Whether the entity exists.
  public func contains(_ entity: EntityID) -> Bool {
    tables.contains(entity)
  }

  /// The owner, or nil when the server owns it or it does not exist.
  public func owner(of entity: EntityID) -> PlayerID? {
    tables.owner(of: entity)
  }

  /// All entities of a kind, ascending.
  public func entities(_ kind: KindIndex) -> [EntityID] {
    var found: [EntityID] = []
    guard Int(kind.rawValue) < tables.count else { return [] }
    tables[Int(kind.rawValue)].current.forEach { found.append(EntityID(kind: kind, id: UInt16($0))) }
    return found
  }

  /// All entities that a player owns, ascending. Takes as long as it owns entities, however many the room has.
  public func entities(of player: PlayerID) -> [EntityID] {
    var found: [EntityID] = []
    owned.forEach(of: player) { found.append($0) }
    return found.sorted()
  }

  /// How many entities of a kind could be made now.
  public func freeEntities(_ kind: KindIndex) -> Int {
    Int(kind.rawValue) < entityIDs.count ? entityIDs[Int(kind.rawValue)].available : 0
  }

  /// How many entities of a kind a player owns. Takes as long as it owns entities.
  func countEntities(_ kind: KindIndex, of player: PlayerID) -> Int {
    var count = 0
    owned.forEach(of: player) { if $0.kind == kind { count += 1 } }
    return count
  }

  /// The value of a field; the zero value when the entity does not exist.
  ///
  /// - Precondition: the key comes from this room's schema.
  public func get<Value>(_ key: FieldKey<Value>, of entity: EntityID) -> Value {
    precondition(key.schemaHash == kind.schema.hash, "the key belongs to another schema")
    let table = tables[Int(key.kind.rawValue)].current
    guard entity.kind == key.kind, table.contains(Int(entity.id)) else { return inputZero(key) }
    return table.load(key, Int(entity.id))
  }

  /// Sets a field: rounded to its step, clamped to its range. An entity that is gone is left alone.
  ///
  /// Nothing is stored that a client could not read: a reference to an entity that cannot exist in the schema becomes none,
  /// and what a ``FieldValue`` of your own gives is brought into range or cut. Such a fault of the game is counted and logged
  /// with the call that did it.
  ///
  /// - Precondition: the key comes from this room's schema.
  public func set<Value>(_ key: FieldKey<Value>, of entity: EntityID, to value: Value) {
    precondition(key.schemaHash == kind.schema.hash, "the key belongs to another schema")
    guard entity.kind == key.kind, contains(entity) else { return }
    let index = Int(key.kind.rawValue)
    let stored = tables[index].current.store(key, Int(entity.id), value, in: kind.schema.layouts)
    if stored.hasChanged { tables[index].touch(Int(entity.id)) }
    if let fault = stored.fault { note(.stored(fault), kind: key.kind, field: key.field) }
  }

  /// Does what a player asks for: copies the values of its input to its entity.
  public func apply(_ input: Input) {
    tables.copy(input.mask, from: &inputScratch, row: 0, to: input.entity)
  }

  private func inputZero<Value>(_ key: FieldKey<Value>) -> Value {
    var empty = EntityTable(kind.schema.layouts[Int(key.kind.rawValue)], rows: 1)
    empty.insert(0, generation: 0, owner: 0)
    return empty.load(key, 0)
  }

  // MARK: Events

  /// Raises an event for every player.
  ///
  /// - Parameters:
  ///   - code: 16 to 65,535.
  ///   - payload: at most the kind's `payloadBytes`.
  ///   - reliably: every member sees it exactly once, in order; otherwise those who lag may miss it.
  /// - Returns: false when the tick's `eventBytesPerTick` are used up, or code or payload are out of bounds; it is then
  ///   not raised.
  @discardableResult
  public func raise(_ code: UInt16, _ payload: [UInt8] = [], reliably: Bool = true) -> Bool {
    raise(code, payload, reliably: reliably, from: nil, isForSender: true)
  }

  /// Sends an event to one player, which it reaches while its connection or its seat's grace period lasts.
  ///
  /// - Parameters:
  ///   - code: 16 to 65,535.
  ///   - payload: at most the kind's `payloadBytes`.
  ///   - player: whom it is for.
  ///   - reliably: exactly once and in order, also across a resume; otherwise it may be missed while the player is
  ///     away.
  /// - Returns: false when there is no such player, or code or payload are out of bounds; it is then not sent.
  @discardableResult
  public func whisper(_ code: UInt16, _ payload: [UInt8] = [], to player: PlayerID, reliably: Bool = true) -> Bool {
    whisper(code, payload, to: player, reliably: reliably, from: nil)
  }

  // MARK: Calls

  /// The call that is being handled; keep it to answer with ``reply(to:with:)`` after returning ``CallOutcome/later``.
  public func currentCall(from player: PlayerID) -> CallToken? {
    guard let id = callInProgress, let seat = seat(of: player) else { return nil }
    return CallToken(player: player, generation: seat.generation, id: id)
  }

  /// Answers a call that was put off. A caller who is gone is no error.
  public func reply(to call: CallToken, with outcome: CallOutcome) {
    answer(outcome, call)
  }

  // MARK: Players

  /// Removes a player and ends its connection with reason `kicked`; the text reaches the client.
  public func kick(_ player: PlayerID, _ text: String) {
    guard let seat = seat(of: player) else { return }
    if let delivery = seat.delivery { evict(delivery, .kicked, text) }
    free(seat)
  }

  /// Ends the room after this tick: its frame still goes out, then every member's connection ends with reason `roomClosed`
  /// and this text (at most 512 bytes). Whoever joins a room of this name later opens a new one.
  public func end(_ text: String) { ending = text }

  /// Keeps new players out; those inside, and those who resume, are not affected.
  public func lock() { isLocked = true }

  /// Lets new players in again.
  public func unlock() { isLocked = false }

  /// The fewest whole ticks that last at least as long as `duration`, and at least 1; `UInt32.max` when they are more.
  public func ticks(in duration: Duration) -> UInt32 {
    let (nanoseconds, rate) = (duration.wholeNanoseconds, UInt64(kind.tickRate))
    // Seconds and their fraction apart: the product of a long duration would not fit 64 bits.
    let seconds = min(nanoseconds / 1_000_000_000, UInt64(UInt32.max))
    let fraction = nanoseconds % 1_000_000_000
    return UInt32(clamping: max(1, seconds * rate + (fraction * rate + 999_999_999) / 1_000_000_000))
  }
}

/// A call that is still to be answered.
public struct CallToken: Hashable, Sendable {
  /// Who called.
  public let player: PlayerID
  let generation: UInt32
  let id: UInt32
}

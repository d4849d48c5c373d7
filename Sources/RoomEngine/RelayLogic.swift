public import WireFormat

/// Relay rooms: each client owns its entities and moves them as it likes within the schema's ranges; the server checks
/// and passes on.
///
/// Every player gets its entities when it joins and may ask for more with two calls (a byte is a `u8`):
///
/// | method | payload | reply |
/// | --- | --- | --- |
/// | 1 spawn | kind:u8 | id as two bytes, little-endian |
/// | 2 despawn | kind:u8, id as two bytes, little-endian | empty |
public final class RelayLogic: RoomLogic {
  /// Entities of one kind that a player has.
  public struct Grant: Equatable, Sendable {
    /// Which kind.
    public let kind: KindIndex
    /// How many a player gets when it joins.
    public let atJoin: Int
    /// How many it may have at most.
    public let most: Int

    /// So many at first, so many at most.
    public init(kind: KindIndex, atJoin: Int, most: Int) {
      self.kind = kind
      self.atJoin = atJoin
      self.most = most
    }
  }

  /// Ask for one more entity.
  public static let spawnMethod: UInt16 = 1
  /// Give one up.
  public static let despawnMethod: UInt16 = 2

  private let grants: [Grant]

  /// - Parameter grants: which entities a player may have; kinds without a grant stay empty.
  public init(grants: [Grant]) {
    self.grants = grants
  }

  /// Refuses while there are no free entities for a newcomer.
  public func admit(options: [UInt8], in room: Room) -> Admission {
    for grant in grants where room.freeEntities(grant.kind) < grant.atJoin {
      return .full(
        "no free entity of kind \(room.kind.schema.kinds[Int(grant.kind.rawValue)].name): all are in use")
    }
    return .admit
  }

  /// Gives the player its first entities.
  public func joined(_ player: PlayerID, options: [UInt8], in room: Room) {
    for grant in grants {
      for _ in 0..<grant.atJoin { _ = room.create(grant.kind, owner: player) }
    }
  }

  /// Answers spawn and despawn.
  public func call(_ method: UInt16, payload: [UInt8], from player: PlayerID, in room: Room) -> CallOutcome {
    switch method {
    case Self.spawnMethod: spawn(payload, player, room)
    case Self.despawnMethod: despawn(payload, player, room)
    default: .failure(.unknownMethod)
    }
  }

  private func spawn(_ payload: [UInt8], _ player: PlayerID, _ room: Room) -> CallOutcome {
    guard payload.count == 1 else { return .failure(.payloadInvalid) }
    let kind = KindIndex(payload[0])
    guard let grant = grants.first(where: { $0.kind == kind }) else { return .reject("no entities of this kind") }
    guard room.countEntities(kind, of: player) < grant.most else {
      return .reject("at most \(grant.most) entities of this kind")
    }
    guard let entity = room.create(kind, owner: player) else { return .reject("the room has no free entity") }
    return .reply([UInt8(truncatingIfNeeded: entity.id), UInt8(truncatingIfNeeded: entity.id >> 8)])
  }

  private func despawn(_ payload: [UInt8], _ player: PlayerID, _ room: Room) -> CallOutcome {
    guard payload.count == 3 else { return .failure(.payloadInvalid) }
    let entity = EntityID(kind: KindIndex(payload[0]), id: UInt16(payload[1]) | UInt16(payload[2]) << 8)
    guard room.owner(of: entity) == player else { return .reject("not your entity") }
    room.remove(entity)
    return .reply([])
  }
}

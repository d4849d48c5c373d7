public import WireFormat

/// What a player asks one of its own entities to become. The values lie within the schema's ranges; whether they make
/// sense is the game's to decide.
///
/// Valid only during the call that brought it.
public struct Input {
  /// The player's entity.
  public let entity: EntityID
  /// Bit i is set when field i has a value here.
  public let mask: UInt64
  // Not unowned, which costs more: nothing outlives the call.
  let room: Room

  /// Whether the player set this field.
  public func contains<Value>(_ key: FieldKey<Value>) -> Bool {
    key.kind == entity.kind && mask & key.mask != 0
  }

  /// The value asked for, or nil when the player did not set the field.
  public subscript<Value>(key: FieldKey<Value>) -> Value? {
    guard contains(key) else { return nil }
    return room.inputScratch[Int(entity.kind.rawValue)].load(key, 0)
  }
}

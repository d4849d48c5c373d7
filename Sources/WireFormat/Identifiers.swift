/// A player's number in its room, given with its seat; not reused while an older frame could still mention it.
public struct PlayerID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The number on the wire.
  public let rawValue: UInt16

  /// The player with this number.
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Ordered by number.
  public static func < (one: PlayerID, other: PlayerID) -> Bool { one.rawValue < other.rawValue }

  /// For logs: `player 7`.
  public var description: String { "player \(rawValue)" }
}

/// One step of a room; tick n is due at the room's start + n / rate. At 30 Hz 32 bits last 4.5 years.
public struct Tick: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Steps since the room started.
  public let rawValue: UInt32

  /// The tick with this number.
  public init(_ rawValue: UInt32) { self.rawValue = rawValue }

  /// Ordered by time.
  public static func < (one: Tick, other: Tick) -> Bool { one.rawValue < other.rawValue }

  /// For logs: `tick 90`.
  public var description: String { "tick \(rawValue)" }
}

/// The position of an entity kind in its schema, from 0.
public struct KindIndex: Hashable, Comparable, Sendable {
  /// The position.
  public let rawValue: UInt8

  /// The kind at this position of the schema.
  public init(_ rawValue: UInt8) { self.rawValue = rawValue }

  /// Ordered by position.
  public static func < (one: KindIndex, other: KindIndex) -> Bool { one.rawValue < other.rawValue }
}

/// An entity: its kind and its id among the entities of that kind.
public struct EntityID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The entity's kind.
  public let kind: KindIndex
  /// Its id, below the capacity of the kind.
  public let id: UInt16

  /// The entity with this kind and id.
  public init(kind: KindIndex, id: UInt16) {
    self.kind = kind
    self.id = id
  }

  /// Ordered by kind, then id.
  public static func < (one: EntityID, other: EntityID) -> Bool {
    (one.kind.rawValue, one.id) < (other.kind.rawValue, other.id)
  }

  /// For logs: `entity 0:17`.
  public var description: String { "entity \(kind.rawValue):\(id)" }

  /// The quantised value of a reference field: 0 is none.
  package static func referenceWord(_ entity: EntityID?) -> Int32 {
    guard let entity else { return 0 }
    return 1 + (Int32(entity.id) << 5 | Int32(entity.kind.rawValue))
  }

  package init?(referenceWord word: Int32) {
    guard word > 0 else { return nil }
    self.init(kind: KindIndex(UInt8((word - 1) & 31)), id: UInt16(truncatingIfNeeded: (word - 1) >> 5))
  }
}

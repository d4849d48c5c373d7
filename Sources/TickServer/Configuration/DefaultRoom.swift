public import RoomEngine
import WireFormat

extension RoomDraft {
  /// The default room: walking avatars with position, rotation, health and name.
  static let arena = RoomDraft(
    name: "arena",
    entities: [
      EntityDraft(
        name: "avatar",
        fields: [
          Field("position", .vector(3, range: -512...512, step: 0.01)),
          Field("yaw", .angle(steps: 360)),
          Field("rotation", .quaternion(bits: 10)),
          Field("animation", .unsigned(bits: 4)),
          Field("health", .unsigned(bits: 7)),
          Field("name", .string(maxBytes: 24)),
        ])
    ])
}

extension RoomKind {
  /// The default room kind, a relay room named `arena` for 100 players at 30 Hz.
  ///
  /// Each player has one `avatar`: `position` (-512 to 512 m in steps of 1 cm), `yaw` (in degrees), `rotation`
  /// (a quaternion, for games that need more than yaw; unused fields cost nothing), `animation` (0 to 15),
  /// `health` (0 to 127) and `name` (24 bytes).
  public static let arena: RoomKind = {
    do {
      return try RoomDraft.arena.roomKind()
    } catch {
      // The schema above is constant: a fault in it is a mistake of this file, which every test would meet.
      preconditionFailure("default room: \(error)")
    }
  }()
}

import RoomEngine

/// The process's memory against its bounds, as the server last judged it.
struct MemoryStatus: Sendable {
  typealias Pressure = PressureLevel

  /// Nil when there is no limit.
  var limitBytes: Int?
  /// Worst case of the configuration.
  var planBytes = 0
  /// What is used of the limit that is nearest to its end; nil when there is none.
  var usedShare: Double?
  var pressure = Pressure.normal
}

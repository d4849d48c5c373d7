import RoomEngine

/// The process's memory against its bounds, as the server last judged it.
struct MemoryStatus: Sendable {
  typealias Pressure = PressureLevel

  /// Nil when there is no limit.
  var limitBytes: Int?
  /// Worst case of the configuration.
  var planBytes = 0
  var pressure = Pressure.normal
}

/// A piece of the server's work that is done again and again, and whose cost is looked at: by callgrind, or by a clock.
package protocol MeasuredUnit {
  /// Does the work `rounds` times, the part that counts within `meter`.
  ///
  /// - Returns: how many units that were: frames, inputs, entities.
  func run(rounds: Int, _ meter: Meter) throws -> Int
}

/// Encloses the part of a round that counts; the rest is there to make it possible.
package typealias Meter = (_ work: () -> Void) -> Void

/// Why a unit could not be set up.
package struct UnitFailure: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) {
    self.description = description
  }
}

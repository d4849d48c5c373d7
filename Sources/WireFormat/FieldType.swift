/// The type of a field: its values, their range and how they are quantised to 32-bit integers.
///
/// Only changes of the quantised value are sent: motion smaller than a step costs nothing.
public enum FieldType: Equatable, Sendable {
  /// True or false.
  case bool
  /// 0 to 2^bits - 1; 1 to 32 bits.
  case unsigned(bits: Int)
  /// -2^(bits-1) to 2^(bits-1) - 1; 1 to 32 bits.
  case signed(bits: Int)
  /// Multiples q x step of a step (in the field's unit), with q from `low` to `high`.
  case fixed(FixedPoint)
  /// 2 to 4 components, each fixed-point.
  case vector(Int, FixedPoint)
  /// A direction in the plane, in `steps` equal parts of a full turn (2 to 65536); wraps.
  case angle(steps: Int)
  /// A unit quaternion as its smallest three components with 2 to 15 bits each.
  case quaternion(bits: Int)
  /// UTF-8 text of at most 1 to 255 bytes.
  case string(maxBytes: Int)
  /// At most 1 to 255 bytes.
  case bytes(maxBytes: Int)
  /// An entity of the room, or none.
  case reference

  /// A number in `range` in multiples of `step`: `.fixed(range: -512...512, step: 0.01)`.
  public static func fixed(range: ClosedRange<Double>, step: Double) -> FieldType {
    .fixed(FixedPoint(range: range, step: step))
  }

  /// A vector of 2 to 4 such numbers.
  public static func vector(_ components: Int, range: ClosedRange<Double>, step: Double) -> FieldType {
    .vector(components, FixedPoint(range: range, step: step))
  }

  /// What is wrong with the parameters, or nil.
  package var fault: String? {
    switch self {
    case .bool, .reference: nil
    case .unsigned(let bits), .signed(let bits):
      (1...32).contains(bits) ? nil : "bits is 1 to 32, not \(bits)"
    case .fixed(let fixed): fixed.fault
    case .vector(let components, let fixed):
      (2...4).contains(components) ? fixed.fault : "a vector has 2 to 4 components, not \(components)"
    case .angle(let steps): (2...65536).contains(steps) ? nil : "steps is 2 to 65536, not \(steps)"
    case .quaternion(let bits): (2...15).contains(bits) ? nil : "bits is 2 to 15, not \(bits)"
    case .string(let maxBytes), .bytes(let maxBytes):
      (1...WireLimits.blobBytes).contains(maxBytes)
        ? nil : "maxBytes is 1 to \(WireLimits.blobBytes), not \(maxBytes)"
    }
  }

  /// How many 32-bit columns hold the field; blobs have none.
  package var columnCount: Int {
    switch self {
    case .vector(let components, _): components
    case .quaternion: 4
    case .string, .bytes: 0
    case .bool, .unsigned, .signed, .fixed, .angle, .reference: 1
    }
  }

  /// How many column numbers the field takes in the state hash: a blob takes one.
  package var columnNumbers: Int { max(columnCount, 1) }

  /// Most bytes of a blob, or nil for fields held in columns.
  package var blobBytes: Int? {
    switch self {
    case .string(let maxBytes), .bytes(let maxBytes): maxBytes
    default: nil
    }
  }

  /// Most bytes of one coded value: five a column.
  package var codedBound: Int { blobBytes.map { $0 + 2 } ?? columnCount * 5 }
}

/// Fixed-point quantisation: the value is q x step with `low <= q <= high`.
public struct FixedPoint: Equatable, Sendable {
  /// Smallest quantised value.
  public let low: Int32
  /// Largest quantised value.
  public let high: Int32
  /// The size of one step in the field's unit; above 0 and finite.
  public let step: Double

  /// Quantised bounds and step as they travel in a schema.
  public init(low: Int32, high: Int32, step: Double) {
    self.low = low
    self.high = high
    self.step = step
  }

  /// The multiples of `step` in `range`. A range or step that 32 bits cannot hold is reported by ``Schema/init(_:)``.
  public init(range: ClosedRange<Double>, step: Double) {
    let low = Self.steps(range.lowerBound / step, .up)
    let high = Self.steps(range.upperBound / step, .down)
    if step > 0, step.isFinite, let low = Int32(exactly: low), let high = Int32(exactly: high) {
      self.init(low: low, high: high, step: step)
    } else {
      self.init(low: 1, high: 0, step: step)
    }
  }

  /// A bound that is a multiple of the step but for the error of the division counts as one: 0.3 / 0.1 is
  /// 2.9999999999999996.
  private static func steps(_ quotient: Double, _ rule: FloatingPointRoundingRule) -> Double {
    let nearest = quotient.rounded()
    return (quotient - nearest).magnitude <= nearest.magnitude * 1e-12 ? nearest : quotient.rounded(rule)
  }

  var fault: String? {
    guard step > 0, step.isFinite else { return "step is above 0 and finite, not \(step)" }
    guard low <= high else {
      return
        "the range has no multiple of the step \(step), or more than 2^31 of them: use a larger step or another range"
    }
    return nil
  }

  /// The nearest allowed quantised value; ties to even, out of range to the nearer bound, NaN to 0 or the nearest
  /// bound.
  @inlinable
  package func quantise(_ value: Double) -> Int32 {
    let scaled = (value / step).rounded(.toNearestOrEven)
    if scaled.isNaN { return min(max(0, low), high) }
    if scaled <= Double(low) { return low }
    if scaled >= Double(high) { return high }
    return Int32(scaled)
  }

  @inlinable
  package func value(of quantised: Int32) -> Double { Double(quantised) * step }
}

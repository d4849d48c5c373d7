/// Writes metrics in the Prometheus text format, version 0.0.4.
struct PrometheusText {
  enum MetricType: String, Sendable {
    case counter, gauge, histogram
  }

  private(set) var text = ""

  /// Begins a metric; all its samples follow before the next one begins.
  mutating func begin(_ name: String, _ type: MetricType, help: String) {
    text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(type.rawValue)\n"
  }

  mutating func sample(_ name: String, _ value: MetricValue, labels: [(name: String, value: String)] = []) {
    text += name
    if !labels.isEmpty {
      let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
      text += "{\(pairs.joined(separator: ","))}"
    }
    text += " \(value.text)\n"
  }

  /// A line feed would end the line; the backslash is what escapes.
  private static func escaped(_ value: String, quotes: Bool) -> String {
    var result = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

/// A sample's value.
enum MetricValue: Equatable, Sendable {
  case integer(UInt64)
  case number(Double)

  init(_ value: UInt64) { self = .integer(value) }
  /// Gauges are never negative.
  init(_ value: Int) { self = .integer(UInt64(max(0, value))) }
  init(_ value: Double) { self = .number(value) }
  init(_ value: Bool) { self = .integer(value ? 1 : 0) }

  var text: String {
    switch self {
    case .integer(let value): "\(value)"
    case .number(let value) where value.isNaN: "NaN"
    case .number(let value) where value.isInfinite: value < 0 ? "-Inf" : "+Inf"
    case .number(let value): "\(value)"
    }
  }
}

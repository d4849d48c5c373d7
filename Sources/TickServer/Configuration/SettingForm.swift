import RoomEngine

/// How the values of a setting are written, and which are allowed.
struct SettingForm<Value> {
  /// What is allowed, as error messages say it: `1 to 128`, `auto or 1 to 256`.
  let allowed: String
  /// The value of a text, whether allowed or not, or what is wrong with the text.
  let read: (String) -> Reading<Value>
  /// What is wrong with a value, or nil.
  let problem: (Value) -> String?
  /// The text that reads as this value.
  let text: (Value) -> String
}

/// What reading a text came to.
enum Reading<Value> {
  case value(Value)
  case problem(String)

  func map<Other>(_ transform: (Value) -> Other) -> Reading<Other> {
    switch self {
    case .value(let value): .value(transform(value))
    case .problem(let problem): .problem(problem)
    }
  }
}

extension SettingForm {
  /// The value of a text when it is allowed.
  func parse(_ text: String) -> Reading<Value> {
    guard !text.isEmpty else { return .problem("it has no value") }
    let reading = read(text)
    if case .value(let value) = reading, let problem = problem(value) { return .problem(problem) }
    return reading
  }

  /// The form of one case of an enum, or of an optional, that holds the value, with a word for the other case.
  func or<Other: Equatable>(
    _ word: String, _ other: Other, wrap: @escaping (Value) -> Other, unwrap: @escaping (Other) -> Value?
  ) -> SettingForm<Other> {
    SettingForm<Other>(
      allowed: "\(word) or \(allowed)",
      read: { $0 == word ? .value(other) : read($0).map(wrap) },
      problem: { unwrap($0).flatMap(problem) },
      text: { unwrap($0).map(text) ?? word })
  }
}

/// Why a number is out of its range. 0 gets its own words: elsewhere it often switches a limit off.
private func rangeProblem<Value: Comparable>(_ value: Value, _ range: ClosedRange<Value>, zero: Value) -> String? {
  guard !range.contains(value) else { return nil }
  if value == zero { return "0 never means any, auto, off or unlimited" }
  return value < range.lowerBound ? "it is too small" : "it is too large"
}

extension SettingForm where Value == Int {
  /// A whole number without a unit.
  static func integer(_ range: ClosedRange<Int>) -> SettingForm {
    SettingForm(
      allowed: "\(range.lowerBound) to \(range.upperBound)",
      read: { text in
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy(isDigit) else { return .problem("it is not a whole number") }
        guard let value = Int(text) else { return .problem("it is too large") }
        return .value(value)
      },
      problem: { rangeProblem($0, range, zero: 0) },
      text: { "\($0)" })
  }
}

extension SettingForm where Value == ByteCount {
  /// A number of bytes with its unit: `64KiB`.
  static func size(_ range: ClosedRange<ByteCount>) -> SettingForm {
    SettingForm(
      allowed: "\(range.lowerBound) to \(range.upperBound)",
      read: { text in
        Quantity.size.read(text).map { ByteCount($0) }
      },
      problem: { rangeProblem($0, range, zero: ByteCount(0)) },
      text: { "\($0)" })
  }
}

extension SettingForm where Value == Duration {
  /// A time with its unit: `250ms`.
  static func time(_ range: ClosedRange<Duration>) -> SettingForm {
    SettingForm(
      allowed: "\(durationText(range.lowerBound)) to \(durationText(range.upperBound))",
      read: { text in
        Quantity.time.read(text).map {
          .nanoseconds($0)
        }
      },
      problem: { rangeProblem($0, range, zero: .zero) },
      text: durationText)
  }
}

/// A duration in the largest unit that divides it.
func durationText(_ duration: Duration) -> String {
  let nanoseconds = Int(clamping: duration.wholeNanoseconds)
  for (unit, size) in Quantity.time.units.reversed() where nanoseconds > 0 && nanoseconds % size == 0 {
    return "\(nanoseconds / size)\(unit)"
  }
  return "\(nanoseconds)ns"
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

/// Whole numbers with a unit behind them, such as `64KiB`.
private struct Quantity {
  let what: String
  /// From the smallest; sizes in the smallest.
  let units: [(name: String, size: Int)]
  /// What is offered to someone who left out the unit.
  let usual: [String]
  let example: String

  static let size = Quantity(
    what: "size", units: [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)], usual: ["B", "KiB"],
    example: "64KiB")
  static let time = Quantity(
    what: "time",
    units: [
      ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
      ("h", 3_600_000_000_000),
    ],
    usual: ["ms", "s"], example: "250ms")

  /// The quantity in the smallest unit.
  func read(_ text: String) -> Reading<Int> {
    let digits = text.utf8.prefix(while: isDigit)
    let unit = String(text.utf8.dropFirst(digits.count)) ?? ""
    if text.hasPrefix("-") { return .problem("a \(what) cannot be negative") }
    guard !digits.isEmpty, unit.allSatisfy(\.isLetter) else {
      return .problem("it is not a \(what): write a whole number and a unit without spaces, such as \(example)")
    }
    guard let number = Int(String(text.prefix(digits.count))) else { return .problem("it is too large") }
    if number == 0 { return .value(0) }
    guard !unit.isEmpty else {
      let offers = usual.map { "\(number)\($0)" }.joined(separator: " or ")
      return .problem("a \(what) needs a unit, \(unitList), such as \(offers)")
    }
    guard let size = units.first(where: { $0.name == unit })?.size else {
      return .problem("\"\(unit)\" is not a unit of a \(what): write \(unitList)")
    }
    let (value, overflow) = number.multipliedReportingOverflow(by: size)
    return overflow ? .problem("it is too large") : .value(value)
  }

  private var unitList: String {
    let names = units.map(\.name)
    return names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
  }
}

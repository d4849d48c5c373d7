import Spelling
import WireFormat

/// How the type of a field is written in a file: `{type: vector, components: 3, min: -512, max: 512, step: 0.01}`.
enum FieldForm {
  /// The names of the types and the keys that each needs.
  private static let parameters: [(type: String, keys: [String])] = [
    ("bool", []), ("unsigned", ["bits"]), ("signed", ["bits"]), ("fixed", ["min", "max", "step"]),
    ("vector", ["components", "min", "max", "step"]), ("angle", ["steps"]), ("quaternion", ["bits"]),
    ("string", ["maxBytes"]), ("bytes", ["maxBytes"]), ("reference", []),
  ]

  /// The type with these keys, or a whole sentence on what is wrong with them.
  static func read(_ pairs: [(key: String, text: String)]) -> Reading<FieldType> {
    let types = parameters.map(\.type).joined(separator: ", ")
    guard let name = pairs.first(where: { $0.key == "type" })?.text else {
      return .problem("it has no type. Allowed: \(types).")
    }
    guard let (type, keys) = parameters.first(where: { $0.type == name }) else {
      let hint = nearest(to: name, in: parameters.map(\.type)).map { " Did you mean \"\($0)\"?" } ?? ""
      return .problem("type is \"\(name)\".\(hint) Allowed: \(types).")
    }
    for (key, text) in pairs where key != "type" && !keys.contains(key) {
      if key.first == FileLayer.duplicateMark { return .problem("\(key.dropFirst()) is set twice. Keep one of them.") }
      let hint = nearest(to: key, in: keys).map { " Did you mean \"\($0)\"?" } ?? ""
      let needed = keys.isEmpty ? "nothing but its type" : keys.joined(separator: ", ")
      return .problem(
        "\(key) (\"\(text)\") does not belong to type \(type).\(hint) It has \(needed).")
    }
    let values = Dictionary(pairs.map { ($0.key, $0.text) }, uniquingKeysWith: { one, _ in one })
    for key in keys where values[key] == nil {
      return .problem("it has no \(key). Type \(type) needs \(keys.joined(separator: ", ")).")
    }
    let reading = Numbers(texts: values).type(named: type)
    if case .value(let type) = reading, let fault = type.fault { return .problem("\(fault).") }
    return reading
  }

  /// The type as a file writes it; reads as the same type.
  static func text(_ type: FieldType) -> String {
    switch type {
    case .bool: "{type: bool}"
    case .unsigned(let bits): "{type: unsigned, bits: \(bits)}"
    case .signed(let bits): "{type: signed, bits: \(bits)}"
    case .fixed(let fixed): "{type: fixed, \(range(fixed))}"
    case .vector(let components, let fixed): "{type: vector, components: \(components), \(range(fixed))}"
    case .angle(let steps): "{type: angle, steps: \(steps)}"
    case .quaternion(let bits): "{type: quaternion, bits: \(bits)}"
    case .string(let maxBytes): "{type: string, maxBytes: \(maxBytes)}"
    case .bytes(let maxBytes): "{type: bytes, maxBytes: \(maxBytes)}"
    case .reference: "{type: reference}"
    }
  }

  private static func range(_ fixed: FixedPoint) -> String {
    "min: \(number(fixed.low, fixed.step)), max: \(number(fixed.high, fixed.step)), step: \(plain(fixed.step))"
  }

  /// The shortest text of q x step that still reads as q: 0.7 rather than 0.7000000000000001.
  private static func number(_ quantised: Int32, _ step: Double) -> String {
    let exact = Double(quantised) * step
    let rounded = (exact * 1e9).rounded() / 1e9
    return plain(
      (rounded / step).rounded() == Double(quantised) && abs(rounded - exact) <= step * 1e-9 ? rounded : exact)
  }

  private static func plain(_ number: Double) -> String {
    let text = "\(number)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

/// The numbers of a field's keys.
private struct Numbers {
  let texts: [String: String]

  func type(named name: String) -> Reading<FieldType> {
    switch name {
    case "bool": .value(.bool)
    case "reference": .value(.reference)
    case "unsigned": integer("bits").map { .unsigned(bits: $0) }
    case "signed": integer("bits").map { .signed(bits: $0) }
    case "angle": integer("steps").map { .angle(steps: $0) }
    case "quaternion": integer("bits").map { .quaternion(bits: $0) }
    case "string": integer("maxBytes").map { .string(maxBytes: $0) }
    case "bytes": integer("maxBytes").map { .bytes(maxBytes: $0) }
    case "fixed": fixed().map { .fixed($0) }
    default: vector()
    }
  }

  private func vector() -> Reading<FieldType> {
    switch (integer("components"), fixed()) {
    case (.value(let components), .value(let fixed)): .value(.vector(components, fixed))
    case (.problem(let problem), _), (_, .problem(let problem)): .problem(problem)
    }
  }

  private func integer(_ key: String) -> Reading<Int> {
    let text = texts[key] ?? ""
    guard let value = Int(text) else { return .problem("\(key) is \"\(text)\", not a whole number.") }
    return .value(value)
  }

  private func decimal(_ key: String) -> Reading<Double> {
    let text = texts[key] ?? ""
    guard let value = Double(text), value.isFinite else {
      return .problem("\(key) is \"\(text)\", not a number.")
    }
    return .value(value)
  }

  private func fixed() -> Reading<FixedPoint> {
    switch (decimal("min"), decimal("max"), decimal("step")) {
    case (.problem(let problem), _, _), (_, .problem(let problem), _), (_, _, .problem(let problem)):
      return .problem(problem)
    case (.value(let low), .value(let high), .value(let step)):
      guard step > 0 else { return .problem("step is \"\(texts["step"] ?? "")\". It must be above 0.") }
      guard low <= high else { return .problem("min is \(low) and max is \(high). min must not be above max.") }
      guard let first = steps(low, step, .up), let last = steps(high, step, .down) else {
        return .problem("min or max is more than 2^31 steps from 0. Use a larger step or a smaller range.")
      }
      return .value(FixedPoint(low: first, high: last, step: step))
    }
  }

  /// How many steps a bound is. Decimal bounds are seldom exact in binary (0.7 / 0.1 is 6.999...), so a millionth of a
  /// step is forgiven.
  private func steps(_ bound: Double, _ step: Double, _ rule: FloatingPointRoundingRule) -> Int32? {
    let quotient = bound / step
    let nearest = quotient.rounded()
    return Int32(exactly: abs(quotient - nearest) <= 1e-6 ? nearest : quotient.rounded(rule))
  }
}

import Logging
import RoomEngine
import Spelling
import WireFormat

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension SettingForm {
  /// One of a few words.
  static func word(_ values: [(String, Value)], text: @escaping (Value) -> String) -> SettingForm {
    let words = values.map(\.0)
    return SettingForm(
      allowed: words.dropLast().joined(separator: ", ") + " or " + (words.last ?? ""),
      read: { text in
        if let value = values.first(where: { $0.0 == text }) { return .value(value.1) }
        let hint = nearest(to: text, in: words).map { ", \"\($0)\" is the nearest" } ?? ""
        return .problem("it is none of the words\(hint)")
      },
      problem: { _ in nil },
      text: text)
  }
}

extension SettingForm where Value == LogFormat {
  static var logFormat: SettingForm {
    .word(LogFormat.allCases.map { ($0.rawValue, $0) }, text: \.rawValue)
  }
}

extension SettingForm where Value == ReadAtTicks {
  static var readAtTicks: SettingForm {
    .word(ReadAtTicks.allCases.map { ($0.rawValue, $0) }, text: \.rawValue)
  }
}

extension SettingForm where Value == Logger.Level {
  static var logLevel: SettingForm {
    .word(Logger.Level.allCases.map { ($0.rawValue, $0) }, text: \.rawValue)
  }
}

extension SettingForm where Value == Port {
  static var port: SettingForm {
    SettingForm<Int>.integer(1...65535)
      .or("any", .any, wrap: Port.number) { if case .number(let number) = $0 { number } else { nil } }
  }
}

extension SettingForm where Value == AdminPort {
  static var adminPort: SettingForm {
    SettingForm<Int>.integer(1...65535)
      .or("any", AdminPort.any, wrap: AdminPort.number) { if case .number(let number) = $0 { number } else { nil } }
      .or("off", .off, wrap: { $0 }, unwrap: { $0 == .off ? nil : $0 })
  }
}

extension SettingForm where Value == LoopCount {
  static var loops: SettingForm {
    SettingForm<Int>.integer(1...256)
      .or("auto", .auto, wrap: LoopCount.count) { if case .count(let count) = $0 { count } else { nil } }
  }
}

extension SettingForm where Value == ConnectionLimit {
  static var connectionLimit: SettingForm {
    SettingForm<Int>.integer(1...1_000_000)
      .or("unlimited", .unlimited, wrap: ConnectionLimit.atMost) {
        if case .atMost(let most) = $0 { most } else { nil }
      }
  }
}

extension SettingForm where Value == LameDuckTime {
  static var lameDuck: SettingForm {
    SettingForm<Duration>.lameDuckTime
      .or("off", .off, wrap: LameDuckTime.atMost) { if case .atMost(let time) = $0 { time } else { nil } }
  }
}

extension SettingForm where Value == Duration {
  static var lameDuckTime: SettingForm { .time(.milliseconds(100)...(.seconds(24 * 3600))) }
}

extension SettingForm where Value == ServerLifecycle.Order {
  /// How soon, as an admin command says it.
  static var order: SettingForm {
    SettingForm<Duration>.lameDuckTime
      .or("now", .atOnce, wrap: { .within(nanoseconds: $0.wholeNanoseconds) }) { order in
        if case .within(let nanoseconds) = order { .nanoseconds(Int64(clamping: nanoseconds)) } else { nil }
      }
  }
}

extension SettingForm where Value == RoomLimit {
  static var roomLimit: SettingForm {
    SettingForm<Int>.integer(1...65536)
      .or("unlimited", RoomLimit.unlimited, wrap: RoomLimit.atMost) {
        if case .atMost(let most) = $0 { most } else { nil }
      }
      .or("auto", .auto, wrap: { $0 }, unwrap: { $0 == .auto ? nil : $0 })
  }
}

extension SettingForm where Value == String {
  /// An address as numbers: names would need a resolver before the server can say where it listens.
  static var address: SettingForm {
    SettingForm(
      allowed: "an IPv4 or IPv6 address, such as 0.0.0.0 or ::1",
      read: { .value($0) },
      problem: { isAddress($0) ? nil : "it is not an address" },
      text: { $0 })
  }

  static var path: SettingForm {
    SettingForm(
      allowed: "the path of a file", read: { .value($0) }, problem: { $0.isEmpty ? "it is empty" : nil }, text: { $0 })
  }
}

/// Host and port in one text: `0.0.0.0:7777`, `[::1]:7777`.
struct Endpoint {
  let host: String
  let port: Port
}

extension SettingForm where Value == Endpoint {
  static var endpoint: SettingForm {
    SettingForm(
      allowed: "ADDRESS:PORT, such as 0.0.0.0:7777 or [::1]:7777",
      read: { text in
        guard let colon = text.lastIndex(of: ":") else { return .problem("it has no port") }
        var host = String(text[..<colon])
        let bracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if bracketed { host = String(host.dropFirst().dropLast()) }
        guard isAddress(host), bracketed == host.contains(":") else { return .problem("\"\(host)\" is not an address") }
        switch SettingForm<Port>.port.parse(String(text[text.index(after: colon)...])) {
        case .value(let port): return .value(Endpoint(host: host, port: port))
        case .problem(let problem): return .problem("its port: \(problem)")
        }
      },
      problem: { _ in nil },
      text: { endpoint in
        let host = endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
        return "\(host):\(SettingForm<Port>.port.text(endpoint.port))"
      })
  }
}

private func isAddress(_ text: String) -> Bool {
  // Room for the larger of the two, in6_addr.
  var address = (UInt64(0), UInt64(0))
  return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1
}

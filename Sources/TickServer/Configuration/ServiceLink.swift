import EventLoop

/// The variables that Kubernetes puts into every pod for each Service of its namespace (`enableServiceLinks`). Those of a
/// Service whose name begins with `tickserver` look like settings.
///
/// For `tickserver-metrics`: `TICKSERVER_METRICS_SERVICE_HOST`, `..._SERVICE_PORT`, `..._SERVICE_PORT_HTTP`, `..._PORT`,
/// `..._PORT_9090_TCP`, `..._PORT_9090_TCP_PROTO`, `..._PORT_9090_TCP_PORT`, `..._PORT_9090_TCP_ADDR`.
enum ServiceLink {
  private static let protocols = ["TCP", "UDP", "SCTP"]

  /// Whether Kubernetes could have set this; name and value must both fit, so that a misspelt setting remains an error.
  static func isOne(_ name: String, _ value: String) -> Bool {
    if isAddress(value) { return name.hasSuffix("_PORT") || isOfPort(name.split(separator: "_")) }
    let words = name.split(separator: "_")
    if isOfPort(words.dropLast()), let last = words.last {
      switch last {
      case "PROTO": return protocols.contains(value.uppercased())
      case "PORT": return isPort(value)
      case "ADDR": return IPAddress(value) != nil
      default: break
      }
    }
    if name.hasSuffix("_SERVICE_HOST") { return IPAddress(value) != nil }
    return name.contains("_SERVICE_PORT") && isPort(value)
  }

  /// `tcp://10.96.0.12:9090`, which no setting has.
  static func isAddress(_ value: String) -> Bool {
    let parts = value.split(separator: "://", maxSplits: 1)
    guard parts.count == 2, protocols.contains(parts[0].uppercased()), let colon = parts[1].lastIndex(of: ":")
    else { return false }
    let host = parts[1][..<colon].trimmingPrefix("[")
    return isPort(parts[1][colon...].dropFirst()) && IPAddress(String(host.last == "]" ? host.dropLast() : host)) != nil
  }

  /// `..._PORT_9090_TCP`.
  private static func isOfPort(_ words: some BidirectionalCollection<Substring>) -> Bool {
    let last = Array(words.suffix(3))
    return last.count == 3 && last[0] == "PORT" && isPort(last[1]) && protocols.contains(String(last[2]))
  }

  private static func isPort(_ text: some StringProtocol) -> Bool { UInt16(text).map { $0 > 0 } ?? false }
}

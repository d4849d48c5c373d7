/// What is answered to a request.
struct AdminResponse: Equatable, Sendable {
  var status: Int
  var contentType = AdminResponse.text
  var body: String

  static let text = "text/plain; charset=utf-8"
  static let json = "application/json"
  /// The version of the Prometheus text format.
  static let metrics = "text/plain; version=0.0.4; charset=utf-8"
}

/// The paths of the admin port.
enum AdminEndpoint: String, CaseIterable {
  case livez, readyz, metrics, ledger

  /// - Parameter path: without the query.
  init?(path: some StringProtocol) {
    guard path.first == "/" else { return nil }
    self.init(rawValue: String(path.dropFirst()))
  }

  func answer(_ readings: AdminReadings) -> AdminResponse {
    switch self {
    case .livez: Self.health(readings.livenessFaults, good: "live")
    case .readyz: Self.health(readings.readinessFaults, good: "ready")
    case .metrics: AdminResponse(status: 200, contentType: AdminResponse.metrics, body: prometheusText(readings))
    case .ledger: AdminResponse(status: 200, contentType: AdminResponse.json, body: LedgerDocument(readings).json)
    }
  }

  private static func health(_ faults: [String], good: String) -> AdminResponse {
    faults.isEmpty
      ? AdminResponse(status: 200, body: good + "\n")
      : AdminResponse(status: 503, body: faults.map { $0 + "\n" }.joined())
  }

  /// What any request is answered; readings are taken only when they are needed.
  static func answer(method: String, target: String, readings: () -> AdminReadings) -> AdminResponse {
    guard let endpoint = AdminEndpoint(path: target.prefix { $0 != "?" }) else {
      let paths = allCases.map { "/" + $0.rawValue }.joined(separator: ", ")
      return AdminResponse(status: 404, body: "there is nothing here: ask for \(paths)\n")
    }
    guard method == "GET" || method == "HEAD" else {
      return AdminResponse(status: 405, body: "only GET and HEAD are answered\n")
    }
    return endpoint.answer(readings())
  }
}

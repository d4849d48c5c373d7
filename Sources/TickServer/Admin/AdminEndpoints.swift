import RoomEngine

/// What is answered to a request.
struct AdminResponse: Equatable, Sendable {
  var status: Int
  var contentType = AdminResponse.text
  var body: String
  /// The methods that the path takes, where another was used: `GET, HEAD`.
  var allowedMethods: String?

  static let text = "text/plain; charset=utf-8"
  static let json = "application/json"
  /// The version of the Prometheus text format.
  static let metrics = "text/plain; version=0.0.4; charset=utf-8"
}

/// What the admin port asks of a server.
struct AdminSource: Sendable {
  /// Everything as of now.
  var readings: @Sendable () -> AdminReadings
  /// Asks the server to stop: as soon as said, or as its configuration says of a first signal.
  var stop: @Sendable (ServerLifecycle.Order?) -> Void = { _ in }
}

extension AdminSource {
  init(_ shared: ServerShared) {
    self.init(readings: shared.readings) { order in
      shared.handle(
        .asked(order ?? ServerLifecycle.Order(shared.configuration.lameDuck), now: shared.timeSource.now),
        by: "the admin port")
    }
  }
}

/// The paths of the admin port.
enum AdminEndpoint: String, CaseIterable {
  case livez, readyz, metrics, ledger, drain

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
    case .drain: AdminResponse(status: 200, contentType: AdminResponse.json, body: DrainDocument(readings).json)
    }
  }

  private static func health(_ faults: [String], good: String) -> AdminResponse {
    faults.isEmpty
      ? AdminResponse(status: 200, body: good + "\n")
      : AdminResponse(status: 503, body: faults.map { $0 + "\n" }.joined())
  }

  /// What any request is answered; readings are taken only when they are needed.
  ///
  /// - Parameter isFromPage: a browser sent it for a page of somebody else, which it would do without asking. Looking does
  ///   no harm; a command is refused.
  static func answer(
    method: String, target: String, isFromPage: Bool = false, _ source: AdminSource
  ) -> AdminResponse {
    let (path, query) = parts(of: target)
    guard let endpoint = AdminEndpoint(path: path) else {
      let paths = allCases.map { "/" + $0.rawValue }.joined(separator: ", ")
      return AdminResponse(status: 404, body: "there is nothing here: ask for \(paths)\n")
    }
    switch (method, endpoint) {
    case ("GET", _), ("HEAD", _): return endpoint.answer(source.readings())
    case ("POST", .drain): return drain(query, isFromPage: isFromPage, source)
    default:
      let (allowed, words) =
        endpoint == .drain ? ("GET, HEAD, POST", "GET, HEAD and POST") : ("GET, HEAD", "GET and HEAD")
      return AdminResponse(status: 405, body: "only \(words) are answered\n", allowedMethods: allowed)
    }
  }

  private static func drain(_ query: Substring, isFromPage: Bool, _ source: AdminSource) -> AdminResponse {
    guard !isFromPage else { return AdminResponse(status: 403, body: "a web page may not stop the server\n") }
    var order: ServerLifecycle.Order?
    if !query.isEmpty {
      guard query.hasPrefix("deadline="), !query.contains("&") else {
        return AdminResponse(
          status: 400, body: "the query is \"\(oneLine(String(query)))\": only deadline=TIME is known\n")
      }
      let text = String(query.dropFirst("deadline=".count))
      let form = SettingForm<ServerLifecycle.Order>.order
      switch form.parse(text) {
      case .value(let value): order = value
      case .problem(let problem):
        return AdminResponse(
          status: 400, body: "deadline is \"\(oneLine(text))\": \(problem). Allowed: \(form.allowed).\n")
      }
    }
    source.stop(order)
    return AdminEndpoint.drain.answer(source.readings())
  }

  private static func parts(of target: String) -> (path: Substring, query: Substring) {
    let path = target.prefix { $0 != "?" }
    return (path, target.dropFirst(path.count + 1))
  }
}

/// What to change when a plan is over its limit.
extension MemoryPlan {
  /// One change that alone makes the plan fit.
  package struct Advice: Equatable, Sendable {
    /// The setting and its value now.
    package let setting: String
    package let value: String
    package let suggestion: String
  }

  /// Every single change that helps; the limit is always one of them. Empty when the plan fits.
  package var advice: [Advice] {
    guard !fits else { return [] }
    var found: [Advice] = []
    func lower(_ name: String, from value: Int, _ path: WritableKeyPath<MemoryDemand, Int>) {
      if let most = largestFitting(below: value, path) {
        found.append(Advice(setting: name, value: "\(value)", suggestion: "at most \(most)"))
      }
    }
    lower("maxConnections", from: demand.connections, \.connections)
    lower("maxRooms", from: demand.rooms, \.rooms)
    if found.isEmpty, let both = largestFittingShare() {
      found.append(
        Advice(
          setting: "maxConnections \(demand.connections) and maxRooms", value: "\(demand.rooms)",
          suggestion: "at most \(both.connections) and \(both.rooms)"))
    }
    for (name, value, path) in [
      ("sendBuffer", demand.sendBuffer, \MemoryDemand.sendBuffer),
      ("receiveBuffer", demand.receiveBuffer, \.receiveBuffer),
      ("laggardBudget", demand.laggardBudget, \.laggardBudget), ("inputBudget", demand.inputBudget, \.inputBudget),
    ] {
      guard let value else { continue }
      var changed = demand
      changed[keyPath: path] = nil
      if MemoryPlan(changed).fits { found.append(Advice(setting: name, value: "\(value)", suggestion: "auto")) }
    }
    let needed = (totalBytes + 1024 * 1024 - 1) / (1024 * 1024)
    found.append(
      Advice(setting: "memoryLimit", value: demand.limit.map { "\($0)" } ?? "unlimited", suggestion: "\(needed)MiB"))
    return found
  }

  /// Connections and rooms lowered alike, where neither alone would do; nil when nothing fits.
  private func largestFittingShare() -> (connections: Int, rooms: Int)? {
    for percent in stride(from: 99, to: 0, by: -1) {
      var changed = demand
      changed.connections = max(1, demand.connections * percent / 100)
      changed.rooms = max(1, demand.rooms * percent / 100)
      if MemoryPlan(changed).fits { return (changed.connections, changed.rooms) }
    }
    return nil
  }

  /// The largest smaller value with which the plan fits, all else unchanged; nil when none does.
  private func largestFitting(below value: Int, _ path: WritableKeyPath<MemoryDemand, Int>) -> Int? {
    func fits(_ value: Int) -> Bool {
      var changed = demand
      changed[keyPath: path] = value
      return MemoryPlan(changed).fits
    }
    guard value > 1, fits(1) else { return nil }
    var (low, high) = (1, value)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if fits(middle) { low = middle } else { high = middle }
    }
    return low
  }
}

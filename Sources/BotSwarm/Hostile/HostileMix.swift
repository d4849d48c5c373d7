import Spelling

/// How many bots misbehave in which way: `never-reads=25,garbage=25`, or `all=50` to spread them over all ways.
package struct HostileMix: Hashable, Sendable, CustomStringConvertible {
  /// Those with at least one bot, in the order of ``HostileKind``.
  package let counts: [(kind: HostileKind, count: Int)]

  package var bots: Int { counts.reduce(0) { $0 + $1.count } }

  package init(_ text: String) throws(PlanError) {
    let names = HostileKind.allCases.map(\.rawValue)
    var counts: [HostileKind: Int] = [:]
    var seen: Set<String> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let name = sides[0]
      guard name == "all" || names.contains(name) else {
        let hint = nearest(to: name, in: names + ["all"]).map { "; did you mean \"\($0)\"?" } ?? ""
        throw PlanError(
          "--hostile: \"\(name)\" is not a behaviour\(hint) There are all, \(names.joined(separator: ", "))")
      }
      guard seen.insert(name).inserted else { throw PlanError("--hostile: \"\(name)\" stands twice") }
      guard sides.count == 2, let count = Int(sides[1]), (1...10_000).contains(count) else {
        throw PlanError("--hostile: \"\(part)\" needs a number of bots from 1 to 10000, as in \(name)=25")
      }
      guard name == "all" else {
        if let kind = HostileKind(rawValue: name) { counts[kind, default: 0] += count }
        continue
      }
      guard count >= names.count else {
        throw PlanError("--hostile: \"\(part)\" is fewer than the \(names.count) behaviours: name those you want")
      }
      for (index, kind) in HostileKind.allCases.enumerated() {
        counts[kind, default: 0] += count / names.count + (index < count % names.count ? 1 : 0)
      }
    }
    self.counts = counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  package var description: String { counts.map { "\($0.kind.rawValue)=\($0.count)" }.joined(separator: ",") }

  package static func == (one: HostileMix, other: HostileMix) -> Bool { one.description == other.description }

  package func hash(into hasher: inout Hasher) { hasher.combine(description) }
}

/// Which share of the bots moves how: `walk=80,idle=20`.
package struct MovementMix: Hashable, Sendable, CustomStringConvertible {
  /// Weights; a profile's share is its weight by the sum.
  package let weights: [(profile: MovementProfile, weight: Int)]

  package static let walking = MovementMix(weights: [(.walk, 1)])

  private init(weights: [(profile: MovementProfile, weight: Int)]) { self.weights = weights }

  package init(_ text: String) throws(PlanError) {
    let names = MovementProfile.allCases.map(\.rawValue).joined(separator: ", ")
    var weights: [(profile: MovementProfile, weight: Int)] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let profile = MovementProfile(rawValue: String(sides[0])) else {
        throw PlanError("--mix: \"\(sides[0])\" is not a way to move: there are \(names)")
      }
      guard let weight = sides.count == 2 ? Int(sides[1]) : 1, (1...1_000_000).contains(weight) else {
        throw PlanError("--mix: \"\(part)\" needs a weight from 1 to 1000000, as in walk=80,idle=20")
      }
      guard !weights.contains(where: { $0.profile == profile }) else {
        throw PlanError("--mix: \"\(profile.rawValue)\" stands twice")
      }
      weights.append((profile, weight))
    }
    self.init(weights: weights)
  }

  /// The profile of a bot: the mix is spread evenly over consecutive bots, so that every room has it.
  package func profile(ofBot index: Int) -> MovementProfile {
    let sum = weights.reduce(0) { $0 + $1.weight }
    // A step that shares no factor with the sum visits every residue; near the golden section it does so evenly.
    var step = max(1, Int(Double(sum) * 0.618))
    while Self.greatestCommonDivisor(step, sum) != 1 { step += 1 }
    var place = (index * step) % sum
    for (profile, weight) in weights {
      if place < weight { return profile }
      place -= weight
    }
    return weights[0].profile
  }

  package var description: String {
    weights.map { "\($0.profile.rawValue)=\($0.weight)" }.joined(separator: ",")
  }

  package static func == (one: MovementMix, other: MovementMix) -> Bool { one.description == other.description }

  package func hash(into hasher: inout Hasher) { hasher.combine(description) }

  private static func greatestCommonDivisor(_ one: Int, _ other: Int) -> Int {
    var (one, other) = (one, other)
    while other != 0 { (one, other) = (other, one % other) }
    return one
  }
}

/// A way to move.
package enum MovementProfile: String, Sendable, CaseIterable {
  /// People on the ground: 1.4 to 4 m/s, smooth turns.
  case walk
  /// Faster, with sudden turns.
  case wander
  /// Stands still, then sprints.
  case burst
  /// Stands still.
  case idle
}

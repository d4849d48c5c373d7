import WireFormat

/// Which entities each player owns, as lists through all entities: to leave costs what the leaver owns, however many
/// entities the room has.
struct OwnedEntities {
  /// Where the entities of each kind begin in `next` and `previous`.
  private let firsts: [Int32]
  /// The entity last given to each player, by player id; -1 for none.
  private var heads: [Int32]
  private var next: [Int32]
  private var previous: [Int32]

  /// Bytes for each entity and for each player id.
  static let (bytesAnEntity, bytesAPlayer) = (8, 4)

  /// - Parameters:
  ///   - capacities: entity ids of each kind.
  ///   - players: player ids.
  init(capacities: [Int], players: Int) {
    var firsts: [Int32] = []
    var sum: Int32 = 0
    for capacity in capacities {
      firsts.append(sum)
      sum += Int32(capacity)
    }
    self.firsts = firsts
    heads = Array(repeating: -1, count: players)
    next = Array(repeating: -1, count: Int(sum))
    previous = next
  }

  private func node(_ entity: EntityID) -> Int32 { firsts[Int(entity.kind.rawValue)] + Int32(entity.id) }

  private func entity(_ node: Int32) -> EntityID {
    let kind = (firsts.firstIndex { $0 > node } ?? firsts.count) - 1
    return EntityID(kind: KindIndex(UInt8(kind)), id: UInt16(node - firsts[kind]))
  }

  /// The player gets an entity that nobody owns.
  mutating func insert(_ entity: EntityID, of player: PlayerID) {
    let (node, player) = (node(entity), Int(player.rawValue))
    (next[Int(node)], previous[Int(node)]) = (heads[player], -1)
    if heads[player] >= 0 { previous[Int(heads[player])] = node }
    heads[player] = node
  }

  /// The player's entity is gone.
  mutating func remove(_ entity: EntityID, of player: PlayerID) {
    let node = Int(node(entity))
    let (after, before) = (next[node], previous[node])
    if before >= 0 { next[Int(before)] = after } else { heads[Int(player.rawValue)] = after }
    if after >= 0 { previous[Int(after)] = before }
    (next[node], previous[node]) = (-1, -1)
  }

  /// Visits what the player owns and nothing else, in no order.
  func forEach(of player: PlayerID, _ body: (EntityID) -> Void) {
    guard Int(player.rawValue) < heads.count else { return }
    var node = heads[Int(player.rawValue)]
    while node >= 0 {
      body(entity(node))
      node = next[Int(node)]
    }
  }
}

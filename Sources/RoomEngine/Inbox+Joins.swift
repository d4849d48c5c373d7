/// Who is admitted when more ask for a seat than one tick admits.
extension Inbox {
  /// The places in the inbox of the joins that wait for the next tick; empty when all are admitted now.
  ///
  /// Every address in turn has one of its joins admitted, the oldest first: a crowd behind one address waits for itself,
  /// and nobody else waits for the crowd. Who is gone already takes no place of those who wait.
  func joinsToPutOff(most: Int) -> Set<Int> {
    guard joins > most else { return [] }
    var rounds = AddressCounts()
    var waiting: [(round: Int, index: Int)] = []
    for (index, item) in items.enumerated() {
      guard case .join(let request) = item.entry, request.delivery.position != .closed else { continue }
      waiting.append((rounds[request.delivery.address], index))
      rounds.charge(request.delivery.address)
    }
    waiting.sort { ($0.round, $0.index) < ($1.round, $1.index) }
    return Set(waiting.dropFirst(most).map(\.index))
  }
}

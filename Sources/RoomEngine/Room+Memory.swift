/// What a room's buffers take, for the loop's account.
extension Room {
  /// Buffers that the room itself holds, whoever is in it, and their bytes: what the plan counts for rooms. All else that is
  /// leased belongs to members.
  package var ownBuffers: (count: Int, bytes: Int) {
    let single = [keyframe?.buffer, tickEvents.buffer, tickReliable.buffer].compactMap { $0 }
    return (
      frames.frames.count + events.blocks.count + single.count,
      frames.bytes + events.bytes + single.reduce(0) { $0 + $1.capacity }
    )
  }

  /// Whether somebody waits for a seat in the next tick.
  package var hasJoinsWaiting: Bool { inbox.joins > 0 }

  /// Lets go of the older half of the whispers that are kept for resumes, seat by seat. Who misses one of them by then
  /// has to join anew.
  ///
  /// - Returns: bytes given back.
  package func halveKeptWhispers() -> Int {
    seats.reduce(0) { sum, seat in sum + (seat?.halveWhispers(pool: context.pool) ?? 0) }
  }
}

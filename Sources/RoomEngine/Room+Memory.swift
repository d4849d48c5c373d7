/// What a room's buffers take, for the loop's account.
extension Room {
  /// Bytes of buffers that the room itself holds, whoever is in it: what the plan counts for rooms. All else that is
  /// leased belongs to members.
  package var ownBufferBytes: Int {
    frames.bytes + events.bytes + (keyframe?.buffer.capacity ?? 0)
      + (tickEvents.buffer?.capacity ?? 0) + (tickReliable.buffer?.capacity ?? 0)
  }

  /// Lets go of the older half of the whispers that are kept for resumes, seat by seat. Who misses one of them by then
  /// has to join anew.
  ///
  /// - Returns: bytes given back.
  package func halveKeptWhispers() -> Int {
    seats.reduce(0) { sum, seat in sum + (seat?.halveWhispers(pool: context.pool) ?? 0) }
  }
}

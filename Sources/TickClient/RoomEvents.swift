/// The notices of a room, in order. One task reads them: a second reader takes the place of the first.
///
/// A reader may be slow for a while. Notices about state then merge: changes of an entity into one, a creation and its
/// removal into nothing, several ``RoomNotice/frame(_:)`` into the last, losses and returns of the connection into the
/// last of each; the values themselves are always the newest, read with ``Room/read(_:)``. Transient events are dropped
/// when more than the client's `noticeLimit` wait. Reliable ones never are: when that many wait and one more comes, the
/// sequence tells those it has and ends with ``RoomEnd/consumerTooSlow(limit:)``.
///
/// So what waits is bounded whatever the reader does: `noticeLimit` notices of at most 1 KiB, and three for each entity.
/// A reader that is always a little behind is told a frame each time it has read what waited when that frame came.
public struct RoomEvents: AsyncSequence, Sendable {
  /// A notice.
  public typealias Element = RoomNotice
  /// Reading does not fail: the end is a notice too.
  public typealias Failure = Never

  let queue: NoticeQueue

  /// Starts reading.
  public func makeAsyncIterator() -> Iterator { Iterator(queue: queue) }

  /// Reads one notice after the other.
  public struct Iterator: AsyncIteratorProtocol {
    let queue: NoticeQueue

    /// The next notice; nil after ``RoomNotice/ended(_:)``, or when the task was cancelled.
    public func next() async -> RoomNotice? { await queue.next() }

    /// The next notice; nil after ``RoomNotice/ended(_:)``, or when the task was cancelled.
    public func next(isolation actor: isolated (any Actor)?) async -> RoomNotice? { await queue.next() }
  }
}

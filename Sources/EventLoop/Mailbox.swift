import CUV

/// The way into a loop from other threads: messages are delivered on the loop's thread, in the order each sender posted
/// them. The loop is woken once for a whole batch.
///
/// A post that returned true is delivered, even when the mailbox closes meanwhile: messages may own resources.
// @unchecked Sendable: `queue` is locked; `handler`, `batch` and `next` are touched by the loop's thread only; `wakeup` is only
// signalled from elsewhere, and only under the lock while open.
package final class Mailbox<Message: Sendable>: @unchecked Sendable {
  private struct Queue {
    var messages: [Message] = []
    var isOpen = true
  }

  private let queue = Locked(Queue())
  private let wakeup: Wakeup
  private var handler: ((Message) -> Void)?
  /// What is being delivered. Once emptied it is swapped back in, so that steady traffic doesn't allocate.
  private var batch: [Message] = []
  /// The first of the batch that is still to be delivered: a handler may close the mailbox, which delivers the others.
  private var next = 0

  /// Messages an emptied array may keep room for after a peak.
  private static var maximumSpareCapacity: Int { 4_096 }

  /// Called on the loop's thread, as is `handler` for each message until the mailbox is closed.
  package init(loop: Loop, handler: @escaping (Message) -> Void) throws(LoopError) {
    self.handler = handler
    wakeup = try Wakeup(loop: loop)
    wakeup.onWake = { [self] in deliver() }
    wakeup.onClosing = { [self] in shut() }
    wakeup.onClosed = { [self] in
      self.handler = nil
      batch = []
    }
  }

  /// From any thread. Returns false, and drops the message, when the mailbox is closed.
  @discardableResult
  package func post(_ message: Message) -> Bool {
    queue.withLock { queue in
      guard queue.isOpen else { return false }
      queue.messages.append(message)
      // Inside the lock, because the handle must not be signalled once it is closing.
      if queue.messages.count == 1 { wakeup.signal() }
      return true
    }
  }

  /// On the loop's thread: delivers what was posted so far and refuses what comes after. Idempotent.
  package func close() {
    wakeup.close()
  }

  private func deliver() {
    deliverBatch()
    queue.withLock { queue in swap(&queue.messages, &batch) }
    deliverBatch()
  }

  private func deliverBatch() {
    while next < batch.count {
      let message = batch[next]
      next += 1
      handler?(message)
    }
    batch.removeAll(keepingCapacity: batch.capacity <= Self.maximumSpareCapacity)
    next = 0
  }

  private func shut() {
    queue.withLock { queue in queue.isOpen = false }
    deliver()
  }
}

/// The `uv_async_t` behind a mailbox.
private final class Wakeup: LoopHandle {
  var onWake: (() -> Void)?
  var onClosing: (() -> Void)?
  var onClosed: (() -> Void)?

  init(loop: Loop) throws(LoopError) {
    super.init(UV_ASYNC, loop: loop, gauge: \.mailboxes)
    let async = pointer(as: uv_async_t.self)
    try open("uv_async_init") { loop in
      uv_async_init(loop, async) { handle in
        guard let data = handle?.pointee.data else { return }
        Unmanaged<Wakeup>.fromOpaque(data).takeUnretainedValue().onWake?()
      }
    }
  }

  func signal() {
    uv_async_send(pointer(as: uv_async_t.self))
  }

  override func willClose() {
    onClosing?()
  }

  override func didClose() {
    onClosed?()
    (onWake, onClosing, onClosed) = (nil, nil, nil)
  }
}

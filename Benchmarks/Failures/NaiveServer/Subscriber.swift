import EventLoop
import Glibc
import NaiveProtocol

/// One connection of a hub, with a queue of its own. Confined to the hub's loop.
final class Subscriber: StreamDelegate {
  let number: Int
  private let stream: Stream
  private unowned let hub: Hub
  private var cutter = MessageCutter()
  private var queue = MessageQueue()
  /// Bytes of the write in flight, which must not move.
  private var inFlight: UnsafeMutableRawBufferPointer?
  private var isDisconnected = false

  init(number: Int, stream: Stream, hub: Hub) {
    self.number = number
    self.stream = stream
    self.hub = hub
    stream.delegate = self
    stream.startReading()
  }

  deinit { inFlight?.deallocate() }

  /// Sends a message of its own bytes, now or as soon as the socket takes it.
  func send(_ message: [UInt8]) {
    guard !isDisconnected else { return }
    queue.append(message)
    if inFlight == nil { writeQueued() }
    if !isDisconnected, hub.policy.isExceeded(messages: queue.count, bytes: queue.bytes) { overflow() }
  }

  private func overflow() {
    switch hub.policy {
    case .keep: break
    case .abort:
      hub.log("aborted client=\(number) queuedMessages=\(queue.count) queuedBytes=\(queue.bytes)")
      stream.reset()
      disconnect()
    case .flag:
      hub.log("flagged client=\(number) queuedMessages=\(queue.count) queuedBytes=\(queue.bytes)")
      isDisconnected = true
    }
  }

  /// Every end of a connection comes through here. The guard is meant to make it happen once; but whoever was flagged
  /// by `overflow` counts as done already, and stays in the list with its socket and its queue for good.
  private func disconnect() {
    guard !isDisconnected else { return }
    isDisconnected = true
    stream.closeAsUsual()
    hub.remove(self)
  }

  // MARK: Writing

  /// One write for each message, until the socket takes no more.
  private func writeQueued() {
    while let message = queue.popFirst() {
      switch message.withUnsafeBytes({ stream.tryWrite($0) }) {
      case .wrote(message.count): continue
      case .wrote(let count): return writeLater(message[count...])
      case .wouldBlock: return writeLater(message[...])
      case .failed: return disconnect()
      }
    }
  }

  private func writeLater(_ rest: ArraySlice<UInt8>) {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: rest.count, alignment: 1)
    bytes.copyBytes(from: rest)
    do throws(LoopError) {
      try stream.write(UnsafeRawBufferPointer(bytes))
      inFlight = bytes
    } catch {
      bytes.deallocate()
      disconnect()
    }
  }

  func stream(_ stream: Stream, didCompleteWrite error: LoopError?) {
    inFlight?.deallocate()
    inFlight = nil
    if error == nil { writeQueued() } else { disconnect() }
  }

  // MARK: Reading

  func stream(_ stream: Stream, didRead bytes: UnsafeRawBufferPointer) {
    if !cutter.feed(bytes, { hub.broadcast($0, from: self) }) { disconnect() }
  }

  func streamDidEnd(_ stream: Stream, _ end: StreamEnd) { disconnect() }
}

extension Stream {
  /// `close(2)`, as most servers call it: the kernel keeps what has not left. `close()` would reset.
  fileprivate func closeAsUsual() {
    let copy = descriptor.map { dup($0) } ?? -1
    close()
    guard copy >= 0 else { return }
    var lingering = linger(l_onoff: 0, l_linger: 0)
    setsockopt(copy, SOL_SOCKET, SO_LINGER, &lingering, socklen_t(MemoryLayout<linger>.size))
    Glibc.close(copy)
  }
}

import EventLoop
import Glibc

/// Passes each message of a connection on to all others: one message for each sender and receiver, each with a copy of
/// the bytes. Confined to its loop.
final class Hub {
  let policy: OverflowPolicy
  private let buffers: SocketBuffers
  private var subscribers: [Subscriber] = []
  private var accepted = 0
  private var listener: Listener?

  /// The kernel's buffers that each connection asks for, so that they equal those of the server compared with.
  struct SocketBuffers {
    let sendBytes: Int
    let receiveBytes: Int
  }

  init(loop: Loop, port: UInt16, policy: OverflowPolicy, buffers: SocketBuffers) throws(LoopError) {
    self.policy = policy
    self.buffers = buffers
    listener = try Listener(loop: loop, host: "127.0.0.1", port: port) { [unowned self] stream in
      accept(stream)
    } onError: { [unowned self] error in
      log("accept failed: \(error)")
    }
  }

  func logAddress() {
    if let listener { log("listening address=\(listener.address)") }
  }

  private func accept(_ stream: Stream) {
    do throws(LoopError) {
      _ = try stream.setBufferSizes(sendBytes: buffers.sendBytes, receiveBytes: buffers.receiveBytes)
    } catch {
      return stream.close()
    }
    accepted += 1
    subscribers.append(Subscriber(number: accepted, stream: stream, hub: self))
  }

  func broadcast(_ message: UnsafeRawBufferPointer, from sender: Subscriber) {
    for subscriber in subscribers where subscriber !== sender { subscriber.send([UInt8](message)) }
  }

  func remove(_ subscriber: Subscriber) {
    if let position = subscribers.firstIndex(where: { $0 === subscriber }) { subscribers.remove(at: position) }
  }

  func log(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}

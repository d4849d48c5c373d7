import CUV
import Glibc

/// A named thread that runs one loop.
package final class LoopThread: Sendable {
  /// Work for the loop, from any thread. `mailbox.post { $0.stop() }` is `stop()`.
  package let mailbox: Mailbox<Loop.Work>
  /// Nil once joined.
  private let thread: Locked<pthread_t?>

  private init(mailbox: Mailbox<Loop.Work>, thread: pthread_t) {
    self.mailbox = mailbox
    self.thread = Locked(thread)
  }

  deinit {
    // Nobody can join any more: let the system clean up when the thread ends.
    thread.withLock { thread in if let thread { pthread_detach(thread) } }
  }

  /// Starts a thread, creates its loop there, runs `setUp` on it and then the loop, until it is stopped.
  ///
  /// Returns when `setUp` has, with its value: typically mailboxes and bound ports. What `setUp` throws ends the thread
  /// and is thrown here.
  /// - Parameters:
  ///   - name: Shown by `top -H`; the kernel keeps the first 15 bytes.
  ///   - core: The only core to run on, by number; nil leaves it to the scheduler.
  package static func start<Value: Sendable>(
    name: String, core: Int? = nil, setUp: @escaping @Sendable (Loop) throws -> Value
  ) throws -> (thread: LoopThread, value: Value) {
    let started = Handover<Result<(Mailbox<Loop.Work>, Value), any Error>>()
    let thread = try spawn {
      setName(name)
      do {
        if let core { try pin(to: core) }
        let loop = try Loop()
        // Held by the closure's frame only: the loop ends on its own thread.
        do {
          started.put(.success((loop.mailbox, try setUp(loop))))
        } catch {
          loop.stop()
          loop.run()
          started.put(.failure(error))
          return
        }
        loop.run()
      } catch {
        started.put(.failure(error))
      }
    }
    switch started.take() {
    case .success(let (mailbox, value)):
      return (LoopThread(mailbox: mailbox, thread: thread), value)
    case .failure(let error):
      pthread_join(thread, nil)
      throw error
    }
  }

  /// Asks the loop to close everything and end. Returns at once.
  package func stop() {
    mailbox.post { loop in loop.stop() }
  }

  /// Waits until the loop has ended. A second call returns at once. Must not be called on the thread itself.
  package func join() {
    let waiting = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    if let waiting { pthread_join(waiting, nil) }
  }

  private static func spawn(_ body: @escaping @Sendable () -> Void) throws(LoopError) -> pthread_t {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(ThreadBody(run: body))
    let result = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context.toOpaque())
    guard result == 0 else {
      context.release()
      throw LoopError("pthread_create", code: -result)
    }
    return thread
  }

  private static func setName(_ name: String) {
    var bytes = Array(name.utf8.prefix(15)).map(CChar.init(bitPattern:))
    bytes.append(0)
    pthread_setname_np(pthread_self(), bytes)
  }

  private static func pin(to core: Int) throws(LoopError) {
    var set = cpu_set_t()
    let isInRange = withUnsafeMutableBytes(of: &set) { bits in
      guard core >= 0, core / 8 < bits.count else { return false }
      bits[core / 8] |= 1 << UInt8(core % 8)
      return true
    }
    let result = isInRange ? pthread_setaffinity_np(pthread_self(), MemoryLayout<cpu_set_t>.size, &set) : EINVAL
    if result != 0 { throw LoopError("pthread_setaffinity_np", "core \(core)", code: -result) }
  }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void

  init(run: @escaping @Sendable () -> Void) {
    self.run = run
  }
}

extension LoopThread {
  /// Starts a named thread without a loop; it ends with `body`, or with the process.
  package static func startHelper(name: String, _ body: @escaping @Sendable () -> Void) throws(LoopError) {
    let thread = try spawn {
      setName(name)
      body()
    }
    pthread_detach(thread)
  }
}

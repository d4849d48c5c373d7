import Glibc

/// One value from a loop's thread to one that waits for it.
// @unchecked Sendable: the value is locked; the semaphore is made for sharing and lives at a fixed address.
package final class Handover<Value: Sendable>: @unchecked Sendable {
  private let value = Locked<Value?>(nil)
  private let filled = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  package init() {
    sem_init(filled, 0, 0)
  }

  deinit {
    sem_destroy(filled)
    filled.deallocate()
  }

  package func put(_ newValue: Value) {
    value.withLock { $0 = newValue }
    sem_post(filled)
  }

  package func take() -> Value {
    while true {
      if let value = value.withLock({ $0 }) { return value }
      // EINTR only makes it look again.
      sem_wait(filled)
    }
  }
}

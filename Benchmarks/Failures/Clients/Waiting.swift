import EventLoop

/// Steps of a run that wait for each other, on one timer. Confined to its loop.
final class Waiting {
  private static let pollMilliseconds: UInt64 = 10

  private var timer: Timer?
  private var isDue: () -> Bool = { false }
  private var onDue: () -> Void = {}
  private var deadline: UInt64?
  private let onTimeout: () -> Void

  init(loop: Loop, onTimeout: @escaping () -> Void) throws(LoopError) {
    self.onTimeout = onTimeout
    timer = try Timer(loop: loop) { [unowned self] in poll() }
  }

  /// Calls `onDue` once `condition` holds, or the time-out's closure when it does not for `timeoutSeconds`.
  func until(
    timeoutSeconds: UInt64, _ condition: @escaping () -> Bool, then onDue: @escaping () -> Void
  ) {
    deadline = Measures.now() + timeoutSeconds * 1_000_000
    isDue = condition
    self.onDue = onDue
    timer?.start(everyMilliseconds: Self.pollMilliseconds)
  }

  func after(milliseconds: UInt64, then onDue: @escaping () -> Void) {
    deadline = nil
    isDue = { true }
    self.onDue = onDue
    timer?.start(afterMilliseconds: milliseconds)
  }

  private func poll() {
    if isDue() {
      timer?.stop()
      return onDue()
    }
    guard let deadline, Measures.now() > deadline else { return }
    timer?.stop()
    onTimeout()
  }
}

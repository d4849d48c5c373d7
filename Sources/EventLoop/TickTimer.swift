import CUV
import Glibc

/// A timer for ticks: absolute deadlines on `CLOCK_MONOTONIC`, held by the kernel (`timerfd`), so that a late callback
/// never moves the next deadline. Wakes about 0.1 ms after the deadline where `uv_timer` takes 0.7.
package final class TickTimer: LoopHandle {
  /// `expirations`: deadlines passed since the last call, 1 unless a period was missed.
  package typealias Callback = (_ expirations: UInt64, _ now: MonotonicTime) -> Void

  private let descriptor: Int32
  @exclusivity(unchecked) private var callback: Callback?

  package init(loop: Loop, callback: @escaping Callback) throws(LoopError) {
    descriptor = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK | TFD_CLOEXEC))
    let createError = -errno
    self.callback = callback
    super.init(UV_POLL, loop: loop, gauge: \.tickTimers)
    guard descriptor >= 0 else { throw LoopError("timerfd_create", code: createError) }
    let poll = pointer(as: uv_poll_t.self)
    try open("uv_poll_init") { [descriptor] loop in uv_poll_init(loop, poll, descriptor) }
    let result = uv_poll_start(poll, Int32(UV_READABLE.rawValue)) { handle, _, _ in
      guard let data = handle?.pointee.data else { return }
      Unmanaged<TickTimer>.fromOpaque(data).takeUnretainedValue().fired()
    }
    guard result == 0 else {
      close()
      throw LoopError("uv_poll_start", "timerfd", code: result)
    }
  }

  deinit {
    if descriptor >= 0, phase == .unopened { _ = Glibc.close(descriptor) }
  }

  /// Calls back at `deadline`, at once if it is past; then every `periodNanoseconds` after the deadline, or not again
  /// if 0. Replaces what was armed before.
  package func arm(at deadline: MonotonicTime, periodNanoseconds: UInt64 = 0) {
    // The kernel takes a deadline of 0 as "disarm".
    set(deadlineNanoseconds: max(1, deadline.nanoseconds), periodNanoseconds: periodNanoseconds)
  }

  package func disarm() {
    set(deadlineNanoseconds: 0, periodNanoseconds: 0)
  }

  private func set(deadlineNanoseconds: UInt64, periodNanoseconds: UInt64) {
    guard isOpen else { return }
    var setting = itimerspec(
      it_interval: timespec(wholeNanoseconds: periodNanoseconds),
      it_value: timespec(wholeNanoseconds: deadlineNanoseconds))
    let result = timerfd_settime(descriptor, Int32(TFD_TIMER_ABSTIME), &setting, nil)
    precondition(result == 0, "timerfd_settime fails only for a bad descriptor or time, errno \(errno)")
  }

  private func fired() {
    var expirations: UInt64 = 0
    // Nothing to read when the timer was re-armed between its expiry and this call.
    guard read(descriptor, &expirations, MemoryLayout<UInt64>.size) == MemoryLayout<UInt64>.size else { return }
    callback?(expirations, Loop.clock())
  }

  override func didStartClosing() {
    _ = Glibc.close(descriptor)
  }

  override func didClose() {
    callback = nil
  }
}

extension timespec {
  fileprivate init(wholeNanoseconds: UInt64) {
    self.init(tv_sec: Int(wholeNanoseconds / 1_000_000_000), tv_nsec: Int(wholeNanoseconds % 1_000_000_000))
  }
}

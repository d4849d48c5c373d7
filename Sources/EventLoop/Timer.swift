import CUV

/// A coarse timer for time-outs and housekeeping: millisecond steps, late by up to a millisecond and the turn's work,
/// never early. For ticks use `TickTimer`.
///
/// Periods are re-armed after each call, never by `uv_timer`'s repeat, which computes from a stale time and slips under
/// load.
package final class Timer: LoopHandle {
  private var callback: (() -> Void)?
  private var periodMilliseconds: UInt64?

  package init(loop: Loop, callback: @escaping () -> Void) throws(LoopError) {
    self.callback = callback
    super.init(UV_TIMER, loop: loop, gauge: \.timers)
    let timer = pointer(as: uv_timer_t.self)
    try open("uv_timer_init") { loop in uv_timer_init(loop, timer) }
  }

  /// Calls back once, `milliseconds` from now. Replaces what was set before.
  package func start(afterMilliseconds milliseconds: UInt64) {
    periodMilliseconds = nil
    arm(milliseconds)
  }

  /// Calls back every `milliseconds` (at least 1), counted from the end of the previous call, until `stop()`.
  package func start(everyMilliseconds milliseconds: UInt64) {
    periodMilliseconds = max(1, milliseconds)
    arm(max(1, milliseconds))
  }

  package func stop() {
    periodMilliseconds = nil
    if isOpen { uv_timer_stop(pointer(as: uv_timer_t.self)) }
  }

  private func arm(_ milliseconds: UInt64) {
    guard isOpen, let loop else { return }
    // libuv counts from the time of the loop's turn: after a long callback the timer would fire early.
    uv_update_time(loop.raw)
    uv_timer_start(
      pointer(as: uv_timer_t.self),
      { handle in
        guard let data = handle?.pointee.data else { return }
        Unmanaged<Timer>.fromOpaque(data).takeUnretainedValue().fired()
      }, milliseconds, 0)
  }

  private func fired() {
    callback?()
    // The callback may have stopped, restarted or closed the timer.
    if let periodMilliseconds, isOpen, uv_is_active(raw) == 0 { arm(periodMilliseconds) }
  }

  override func didClose() {
    callback = nil
  }
}

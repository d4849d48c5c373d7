import CUV

/// Delivers a process signal (`SIGTERM`, `SIGINT`) as a callback on the loop, and keeps it from ending the process.
package final class SignalSource: LoopHandle {
  private var callback: ((Int32) -> Void)?

  package init(loop: Loop, signal: Int32, callback: @escaping (Int32) -> Void) throws(LoopError) {
    self.callback = callback
    super.init(UV_SIGNAL, loop: loop, gauge: \.signals)
    let handle = pointer(as: uv_signal_t.self)
    try open("uv_signal_init") { loop in uv_signal_init(loop, handle) }
    let result = uv_signal_start(
      handle,
      { handle, signal in
        guard let data = handle?.pointee.data else { return }
        Unmanaged<SignalSource>.fromOpaque(data).takeUnretainedValue().callback?(signal)
      }, signal)
    guard result == 0 else {
      close()
      throw LoopError("uv_signal_start", "signal \(signal)", code: result)
    }
  }

  override func didClose() {
    callback = nil
  }
}

import CUV

/// The one owner of one libuv handle, and the only place that opens and closes them.
///
/// libuv holds a retained reference (`handle.data`) from `open` until the close callback, which releases it and
/// nothing else does; `deinit` frees the C struct. So an owner may be dropped, closed twice or closed inside its own
/// callbacks, and is still freed exactly once, after libuv's last use. Confined to its loop's thread.
package class LoopHandle {
  enum Phase {
    /// libuv doesn't know the handle (yet): nothing to close.
    case unopened
    case open
    /// `uv_close` was called; callbacks of cancelled requests may still come.
    case closing
    case closed
  }

  final let raw: UnsafeMutablePointer<uv_handle_t>
  @exclusivity(unchecked) final private(set) var phase = Phase.unopened
  private let gauge: WritableKeyPath<LoopGauges, Int>

  /// The loop the handle lives on; nil once closed, so that a kept owner doesn't keep the loop.
  @exclusivity(unchecked) package final private(set) var loop: Loop?

  package final var isOpen: Bool { phase == .open }

  /// Allocates the struct, in so many bytes if that is more. The subclass then calls `open`.
  init(_ type: uv_handle_type, bytes: Int = 0, loop: Loop, gauge: WritableKeyPath<LoopGauges, Int>) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(bytes, uv_handle_size(type)), alignment: 16)
    raw = memory.bindMemory(to: uv_handle_t.self, capacity: 1)
    self.gauge = gauge
    self.loop = loop
  }

  deinit {
    assert(phase == .unopened || phase == .closed, "a handle was freed in phase \(phase)")
    UnsafeMutableRawPointer(raw).deallocate()
  }

  final func pointer<Handle>(as type: Handle.Type) -> UnsafeMutablePointer<Handle> {
    UnsafeMutableRawPointer(raw).assumingMemoryBound(to: type)
  }

  /// Hands the struct to libuv by `initialize`, which must touch nothing else, and takes up ownership.
  final func open(_ call: String, _ initialize: (UnsafeMutablePointer<uv_loop_t>) -> Int32) throws(LoopError) {
    guard let loop, !loop.isStopping else {
      // A handle opened now would keep the loop from ever ending.
      throw LoopError(call, "on a stopped loop", code: UV_ECANCELED.rawValue)
    }
    try LoopError.check(initialize(loop.raw), call)
    opened()
  }

  private func opened() {
    phase = .open
    raw.pointee.data = Unmanaged.passRetained(self).toOpaque()
    loop?.gauges[keyPath: gauge] += 1
  }

  /// Ends the handle: no reads, ticks, accepts or messages come after it. Idempotent.
  ///
  /// A write or connect under way completes with `ECANCELED` in the same turn of the loop.
  package final func close() {
    guard phase == .open else { return }
    phase = .closing
    willClose()
    uv_close(raw) { handle in
      guard let handle, let data = handle.pointee.data else { return }
      Unmanaged<LoopHandle>.fromOpaque(data).takeRetainedValue().closed()
    }
    didStartClosing()
  }

  private func closed() {
    phase = .closed
    loop?.gauges[keyPath: gauge] -= 1
    loop = nil
    didClose()
  }

  /// For subclasses: the last moment at which the handle may still be used.
  func willClose() {}

  /// For subclasses: libuv no longer watches the handle's descriptor, so it may be closed.
  func didStartClosing() {}

  /// For subclasses: libuv is done with the handle; let go of callbacks and delegates.
  func didClose() {}
}

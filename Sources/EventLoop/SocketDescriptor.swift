import CUV
import Glibc

/// A connected socket between two loops: taken off one by `Stream.detach(handingOver:)`, put on the other by
/// `Stream(adopting:loop:)`. Whoever holds it owns it: adopt it or close it, exactly once.
package struct SocketDescriptor: Sendable {
  package let rawValue: Int32

  /// Takes over an open socket.
  package init(owning rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// Ends the connection when nobody will adopt it; by a reset when bytes have not left.
  package func close() {
    if unsentBytes > 0 { resetOnClose() }
    _ = Glibc.close(rawValue)
  }

  /// Bytes that the kernel holds because the peer has not acknowledged them, a FIN counting as one; 0 once the connection
  /// is gone.
  var unsentBytes: Int { tickserver_unsent_bytes(rawValue) }

  /// Has the close forget what has not left, and tell the peer by a reset. Otherwise the kernel would keep it, for as long
  /// as the peer acknowledges its probes, and nobody would know of it.
  func resetOnClose() {
    set(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
  }

  /// Fails only where there is no connection any more, or no such option.
  func set<Value>(_ level: Int32, _ option: Int32, _ value: Value) {
    withUnsafePointer(to: value) {
      _ = setsockopt(rawValue, level, option, $0, socklen_t(MemoryLayout<Value>.size))
    }
  }
}

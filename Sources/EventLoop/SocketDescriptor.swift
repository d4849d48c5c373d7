import Glibc

/// A connected socket between two loops: taken off one by `Stream.detachDescriptor()`, put on the other by
/// `Stream(adopting:loop:)`. Whoever holds it owns it: adopt it or close it, exactly once.
package struct SocketDescriptor: Sendable {
  package let rawValue: Int32

  /// Takes over an open socket.
  package init(owning rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// Ends the connection when nobody will adopt it.
  package func close() {
    _ = Glibc.close(rawValue)
  }
}

import CUV
import Glibc

/// A stream as the loop over all members who are read at their room's tick sees it: a place to read from, past libuv and
/// without a look at libuv's part of it.
///
/// It keeps nothing alive: whoever keeps the stream lets go of its intakes before it ends, or they read from whatever has
/// its descriptor next.
package struct StreamIntake {
  private let descriptor: Int32
  private let ahead: ReadAhead

  /// Nil for a stream that is not open.
  package init?(_ stream: Stream) {
    guard let descriptor = stream.descriptor else { return nil }
    self.descriptor = descriptor
    ahead = ReadAhead.of(stream.raw).pointee
  }

  /// Has the processor fetch what the delegate will look at; see ``Stream/willRead(_:_:)``, as of when this was made.
  package func fetchAhead() { ahead.fetch() }

  /// Takes what has arrived, without waiting.
  ///
  /// - Returns: how many bytes; 0 when there are none, or no more will come, which the stream tells its delegate itself;
  ///   below 0 for errors, which the socket tells once: pass them to ``Stream/readFailed(_:)``.
  package func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = tickserver_receive(descriptor, buffer.baseAddress, buffer.count)
    return count == -Int(EAGAIN) || count == -Int(EINTR) ? 0 : count
  }
}

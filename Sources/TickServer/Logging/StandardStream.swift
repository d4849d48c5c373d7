import Glibc

/// The process's standard streams.
package enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Writes all of a text, for a program that is about to end; waits for a slow reader. Errors are ignored: there is no
  /// place left to report them to.
  package func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let taken = take(UnsafeRawBufferPointer(rebasing: rest.prefix(StandardStream.pipeBytes)))
        guard taken > 0 else { return }
        rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
      }
    }
  }

  /// Writes once; waits while the stream is full.
  ///
  /// - Returns: bytes taken, or an error number below 0.
  func take(_ bytes: UnsafeRawBufferPointer) -> Int {
    while true {
      let written = Glibc.write(rawValue, bytes.baseAddress, bytes.count)
      if written >= 0 { return written }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        // Another program that shares the stream has made it non-blocking.
        var full = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        _ = Glibc.poll(&full, 1, -1)
      default: return -Int(errno)
      }
    }
  }

  private static let pipeBytes = 4096
}

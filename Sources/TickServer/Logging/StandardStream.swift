#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes texts to one of the process's standard streams.
package enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Writes all of a text, in one system call unless the stream takes less, so that lines of several threads do not
  /// mix.
  ///
  /// Errors are ignored: there is no place left to report them to.
  package func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        #if canImport(Darwin)
        let written = Darwin.write(rawValue, rest.baseAddress, rest.count)
        #elseif canImport(Musl)
        let written = Musl.write(rawValue, rest.baseAddress, rest.count)
        #else
        let written = Glibc.write(rawValue, rest.baseAddress, rest.count)
        #endif
        if written < 0, errno == EINTR { continue }
        guard written > 0 else { return }
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      }
    }
  }
}

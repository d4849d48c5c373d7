import Glibc

/// Opens /dev/null where standard input, output or error is closed.
///
/// Otherwise the next file or socket gets that number: libuv refuses to close it (abort), and what is meant for the log is
/// sent to a player. Call it first in a program; a loop does so as well.
package func fillStandardDescriptors() {
  for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
    // The lowest number that is free is the one opened. Without /dev, any file that takes no bytes will do.
    if open("/dev/null", O_RDWR) < 0 { _ = open("/", O_RDONLY) }
  }
}

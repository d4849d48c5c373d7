import Glibc

/// Standard output, redrawn in place when it is a terminal, line by line when it is not.
///
/// It hides the cursor while it draws, and `finish()` gives it back: call that on every way out.
package final class Terminal {
  package let isInteractive: Bool
  package let hasColour: Bool
  private let descriptor: Int32
  private var drawnLines = 0
  private var isCursorHidden = false

  /// - Parameter isInteractive: Nil asks the system whether the descriptor is a terminal.
  package init(descriptor: Int32 = STDOUT_FILENO, isInteractive: Bool? = nil) {
    self.descriptor = descriptor
    self.isInteractive = isInteractive ?? (isatty(descriptor) == 1 && Self.environment("TERM") != "dumb")
    // https://no-color.org: present and not empty.
    hasColour = self.isInteractive && (Self.environment("NO_COLOR") ?? "").isEmpty
  }

  /// Columns now: windows are resized while a run goes on.
  package var width: Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Draws over what was drawn before.
  package func redraw(_ lines: [String]) {
    var text = isCursorHidden ? "" : "\u{1B}[?25l"
    isCursorHidden = true
    if drawnLines > 0 { text += "\u{1B}[\(drawnLines)A" }
    // Clear to the end after each line and not before it, so that nothing flickers.
    for line in lines { text += "\r" + line + "\u{1B}[K\n" }
    text += "\u{1B}[J"
    drawnLines = lines.count
    put(text)
  }

  package func print(_ line: String) { put(line + "\n") }

  /// Removes the drawing and shows the cursor again. Idempotent.
  package func finish() {
    guard isCursorHidden else { return }
    put((drawnLines > 0 ? "\u{1B}[\(drawnLines)A\r\u{1B}[J" : "") + "\u{1B}[?25h")
    drawnLines = 0
    isCursorHidden = false
  }

  private func put(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      // A closed pipe ends the output, not the run.
      if written <= 0 {
        if errno == EINTR { continue }
        return
      }
      bytes = bytes.dropFirst(written)
    }
  }

  private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

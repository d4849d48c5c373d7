import EventLoop
import Glibc
import Synchronization
import Testing

@testable import TickServer

/// A stream under a test's control: full, failing, or taking so many bytes a call.
private final class ScriptedStream: Sendable {
  private struct State {
    var text = ""
    var isStuck = false
    var mostBytes = Int.max
    var error: Int32?
    var largestCall = 0
  }

  private let state = Mutex(State())

  var text: String { state.withLock { $0.text } }
  var largestCall: Int { state.withLock { $0.largestCall } }

  func stick() { state.withLock { $0.isStuck = true } }
  func unstick() { state.withLock { $0.isStuck = false } }
  func take(atMost bytes: Int) { state.withLock { $0.mostBytes = bytes } }
  func fail(_ error: Int32?) { state.withLock { $0.error = error } }

  /// Takes `bytes` once more, then fails: a disk that becomes full within a line.
  func fill(after bytes: Int) {
    state.withLock { state in
      state.mostBytes = bytes
      state.error = nil
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    while state.withLock({ $0.isStuck }) { usleep(500) }
    return state.withLock { state in
      if let error = state.error { return -Int(error) }
      let taken = min(bytes.count, state.mostBytes)
      state.largestCall = max(state.largestCall, bytes.count)
      state.text += String(decoding: bytes.prefix(taken), as: UTF8.self)
      if taken < bytes.count, state.mostBytes != 1 { state.error = ENOSPC }
      return taken
    }
  }
}

@Suite("The log's writer")
struct LogWriterTests {
  private func withWriter(bytes: Int = 1000, _ body: (LogWriter, ScriptedStream) throws -> Void) throws {
    let stream = ScriptedStream()
    let writer = try LogWriter(bytes: bytes, notice: { "lost \($0)\n" }, write: { stream.write($0) })
    defer {
      stream.unstick()
      stream.fail(nil)
      writer.stop()
    }
    try body(writer, stream)
  }

  @Test("lines come in order, and all of them")
  func order() throws {
    try withWriter(bytes: 1 << 20) { writer, stream in
      for number in 0..<5000 { writer.append("line \(number)\n") }
      #expect(writer.flush(withinMilliseconds: 5000))
      #expect(stream.text == (0..<5000).map { "line \($0)\n" }.joined())
      #expect(writer.lostLines == 0)
    }
  }

  @Test("who logs does not wait for a stream that is stuck; what does not fit is told once it flows")
  func stuck() throws {
    try withWriter(bytes: 100) { writer, stream in
      stream.stick()
      writer.append("first\n")
      _ = eventually { !writer.flush(withinMilliseconds: 1) }
      // On its way, or not yet: the bound holds either way.
      for _ in 0..<1000 { writer.append("123456789\n") }
      #expect(writer.lostLines >= 980)
      #expect(!writer.flush(withinMilliseconds: 20))
      let lost = writer.lostLines
      stream.unstick()
      #expect(writer.flush(withinMilliseconds: 5000))
      #expect(stream.text.hasPrefix("first\n"))
      #expect(stream.text.hasSuffix("lost \(lost)\n"))
      #expect(stream.text.split(separator: "\n").count == 1 + (1000 - Int(lost)) + 1)
      writer.append("next\n")
      #expect(writer.flush(withinMilliseconds: 5000))
      #expect(stream.text.hasSuffix("lost \(lost)\nnext\n"), "told once")
    }
  }

  @Test("lines that a full disk refuses are told before the next that it takes", arguments: [ENOSPC, EPIPE, EIO])
  func fullDisk(_ error: Int32) throws {
    try withWriter { writer, stream in
      stream.fail(error)
      for _ in 0..<5 {
        writer.append("gone\n")
        #expect(writer.flush(withinMilliseconds: 5000))
      }
      #expect(writer.lostLines == 5)
      stream.fail(nil)
      writer.append("back\n")
      #expect(writer.flush(withinMilliseconds: 5000))
      #expect(stream.text == "lost 5\nback\n")
    }
  }

  @Test("a line that was cut off does not run into the next")
  func cut() throws {
    try withWriter { writer, stream in
      stream.fill(after: 3)
      writer.append("abcdef\n")
      #expect(writer.flush(withinMilliseconds: 5000))
      stream.take(atMost: .max)
      stream.fail(nil)
      writer.append("back\n")
      #expect(writer.flush(withinMilliseconds: 5000))
      #expect(stream.text == "abc\nlost 1\nback\n")
    }
  }

  @Test("a stream that takes little at once gets all, in calls of at most a page of whole lines")
  func partial() throws {
    try withWriter(bytes: 1 << 20) { writer, stream in
      stream.stick()
      let lines = (0..<300).map { "line \($0) \(String(repeating: "x", count: 50))\n" }
      for line in lines { writer.append(line) }
      stream.unstick()
      #expect(writer.flush(withinMilliseconds: 5000))
      #expect(stream.text == lines.joined())
      #expect(stream.largestCall <= 4096)
      stream.take(atMost: 1)
      writer.append("slowly\n")
      #expect(writer.flush(withinMilliseconds: 5000))
      #expect(stream.text.hasSuffix("\nslowly\n"))
    }
  }

  @Test("a line that is longer than the queue is dropped, not waited for")
  func tooLong() throws {
    try withWriter(bytes: 10) { writer, stream in
      writer.append(String(repeating: "x", count: 50) + "\n")
      writer.append("short\n")
      #expect(writer.flush(withinMilliseconds: 5000))
      #expect(writer.lostLines == 1)
      #expect(eventually { stream.text.contains("lost 1\n") })
    }
  }
}

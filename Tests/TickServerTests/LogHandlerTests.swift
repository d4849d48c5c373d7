import Foundation
import Logging
import Synchronization
import Testing

@testable import TickServer

/// Collects what a handler writes.
private final class Lines: Sendable {
  private let texts = Mutex<[String]>([])

  var all: [String] { texts.withLock { $0 } }

  func logger(_ format: LogFormat, label: String = "room") -> Logger {
    // 2026-11-21T10:12:13.045Z
    let time = WallTime(milliseconds: 1_795_255_933_045)
    return Logger(label: label) { label in
      LineLogHandler(label: label, level: .trace, format: format, now: { time }) { [self] text in
        texts.withLock { $0.append(text) }
      }
    }
  }
}

private struct Oops: Error, CustomStringConvertible {
  let description = "no\nway"
}

private let nasty = "a\nb\r\u{1b}[31m\"q\" \\ \u{0}\u{7f}\u{85}\u{2028}é🎮"

@Suite("Log records")
struct LogHandlerTests {
  @Test("text names time, level, label, message and sorted metadata")
  func text() {
    let lines = Lines()
    lines.logger(.text).info("listening", metadata: ["port": "7777", "host": "0.0.0.0"])
    #expect(lines.all == ["2026-11-21T10:12:13.045Z info     room: listening host=0.0.0.0 port=7777\n"])
  }

  @Test("text quotes what could be taken for a part of the line")
  func textQuotes() {
    let lines = Lines()
    lines.logger(.text).warning(
      "m",
      metadata: [
        "a": "two words", "b": "k=v", "c": "say \"hi\"", "d": "", "e": ["x", "y z", ["n": .stringConvertible(5)]],
        "f": "back\\slash", "g": "line\nend", "h h": "1",
      ])
    #expect(
      lines.all == [
        "2026-11-21T10:12:13.045Z warning  room: m a=\"two words\" b=\"k=v\" c=\"say \\\"hi\\\"\" d=\"\" "
          + "e=[x,\"y z\",{n=5}] f=\"back\\\\slash\" g=\"line\\nend\" \"h h\"=1\n"
      ])
  }

  @Test("JSON carries the same as an object")
  func json() {
    let lines = Lines()
    lines.logger(.json).error(
      "m \"q\"", error: Oops(), metadata: ["b": ["x", ["k": "v"]], "a": .stringConvertible(1)])
    #expect(
      lines.all == [
        "{\"time\":\"2026-11-21T10:12:13.045Z\",\"level\":\"error\",\"label\":\"room\",\"message\":\"m \\\"q\\\"\","
          + "\"error\":\"no\\nway\",\"metadata\":{\"a\":\"1\",\"b\":[\"x\",{\"k\":\"v\"}]}}\n"
      ])
  }

  @Test("hostile texts stay one line and come back from JSON unchanged", arguments: LogFormat.allCases)
  func hostile(_ format: LogFormat) throws {
    let lines = Lines()
    lines.logger(format, label: nasty).critical(
      "\(nasty)", error: Oops(), metadata: [nasty: [.string(nasty), [nasty: "v"]]])
    let line = try #require(lines.all.first)
    #expect(lines.all.count == 1)
    let controls = line.dropLast().unicodeScalars.filter {
      $0.properties.generalCategory == .control || $0.value == 0x2028 || $0.value == 0x2029
    }
    #expect(controls.isEmpty)
    #expect(line.hasSuffix("\n"))
    #expect(line.contains("é🎮"))
    guard format == .json else { return }
    let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(object["message"] as? String == nasty)
    #expect(object["label"] as? String == nasty)
    #expect((object["metadata"] as? [String: [Any]])?[nasty]?.first as? String == nasty)
  }

  @Test("a logger's own metadata, its provider's and the record's are one, the record's last")
  func metadata() {
    let lines = Lines()
    var logger = lines.logger(.text)
    logger[metadataKey: "room"] = "7"
    logger[metadataKey: "tick"] = "1"
    logger.info("m", metadata: ["tick": "2"])
    #expect(lines.all.first?.hasSuffix("room: m room=7 tick=2\n") == true)
  }

  @Test(
    "times are those of the calendar",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
      (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
      (1_767_225_599_000, "2025-12-31T23:59:59.000Z"),
    ] as [(Int64, String)])
  func time(_ milliseconds: Int64, _ text: String) {
    #expect(WallTime(milliseconds: milliseconds).text == text)
  }
}

import RoomEngine
import Testing
import WireFormat

@testable import TickServer

@Suite("The metrics page")
struct MetricsTests {
  @Test("help, labels and values are escaped and written as the format says")
  func format() {
    var text = PrometheusText()
    text.begin("a_total", .counter, help: "One \"line\" \\ two\nlines.")
    text.sample("a_total", MetricValue(UInt64.max))
    text.sample("a_total", MetricValue(-1), labels: [("x", "q\"b\\\nü"), ("y", "")])
    text.sample("a_total", .number(0.25))
    text.sample("a_total", .number(.infinity))
    text.sample("a_total", .number(-.infinity))
    text.sample("a_total", .number(.nan))
    #expect(
      text.text == #"""
        # HELP a_total One "line" \\ two\nlines.
        # TYPE a_total counter
        a_total 18446744073709551615
        a_total{x="q\"b\\\nü",y=""} 0
        a_total 0.25
        a_total +Inf
        a_total -Inf
        a_total NaN

        """#)
  }

  /// Series of a page: name and labels, and the value.
  private func series(_ page: String) -> [String: String] {
    let pairs = page.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
      line.lastIndex(of: " ").map { (String(line[..<$0]), String(line[line.index(after: $0)...])) }
    }
    return Dictionary(pairs) { one, other in "\(one) and \(other)" }
  }

  @Test("every metric is described once, and no series stands twice")
  func unique() {
    let page = prometheusText(sampleReadings())
    let types = page.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
    #expect(types.count == Metric.all.count)
    #expect(Set(Metric.all.map(\.name)).count == Metric.all.count)
    #expect(series(page).values.allSatisfy { !$0.contains(" and ") })
  }

  @Test("the number of series follows from loops and reasons alone")
  func bounded() {
    let one = series(prometheusText(sampleReadings(loops: 1))).count
    let three = series(prometheusText(sampleReadings(loops: 3))).count
    var busy = sampleReadings(loops: 3)
    busy.loops[0].ledger.turnAway(.malformed)
    busy.loops[1].rooms.frames = 7
    busy.memory.pressure = .critical
    #expect(series(prometheusText(busy)).count == three)
    let perLoop = (three - one) / 2
    #expect(perLoop < 150, "\(perLoop) series a loop")
  }

  @Test("what a loop published is on the page, under its label")
  func values() {
    var readings = sampleReadings()
    readings.loops[1].ledger.accept()
    readings.loops[1].ledger.turnAway(.slowConsumer)
    readings.loops[1].ledger.turnAway(.peerClosed)
    readings.loops[1].faults = ["open connections: 1 by the books, 0 found"]
    readings.loops[1].census.pinnedBytes = 4096
    readings.loops[1].rooms.skips = 5
    readings.memory.limitBytes = 64 << 20
    let histogram = TickHistogram()
    histogram.record(300_000)
    histogram.record(3_000_000_000)
    readings.loops[1].lateness = histogram.reading
    let series = series(prometheusText(readings))
    #expect(series[#"tickserver_connections_accepted_total{loop="1"}"#] == "1")
    #expect(series[#"tickserver_connections_accepted_total{loop="0"}"#] == "0")
    #expect(series[#"tickserver_connections_closed_total{loop="1",reason="slowConsumer"}"#] == "1")
    #expect(series[#"tickserver_connections_closed_total{loop="1",reason="peerClosed"}"#] == "1")
    #expect(series[#"tickserver_evictions_total{loop="1",reason="slowConsumer"}"#] == "1")
    #expect(series[#"tickserver_evictions_total{loop="1",reason="peerClosed"}"#] == nil)
    #expect(series[#"tickserver_ledger_balanced{loop="1"}"#] == "0")
    #expect(series[#"tickserver_ledger_balanced{loop="0"}"#] == "1")
    #expect(series[#"tickserver_pinned_bytes{loop="1"}"#] == "4096")
    #expect(series[#"tickserver_skips_total{loop="1"}"#] == "5")
    #expect(series["tickserver_memory_limit_bytes"] == "67108864")
    #expect(series["process_resident_memory_bytes"] == "7000000")
    #expect(series[#"tickserver_memory_pressure{level="normal"}"#] == "1")
    #expect(series[#"tickserver_memory_pressure{level="high"}"#] == "0")
    #expect(series[#"tickserver_tick_lateness_seconds_bucket{loop="1",le="0.0002"}"#] == "0")
    #expect(series[#"tickserver_tick_lateness_seconds_bucket{loop="1",le="0.0005"}"#] == "1")
    #expect(series[#"tickserver_tick_lateness_seconds_bucket{loop="1",le="0.1"}"#] == "1")
    #expect(series[#"tickserver_tick_lateness_seconds_bucket{loop="1",le="+Inf"}"#] == "2")
    #expect(series[#"tickserver_tick_lateness_seconds_count{loop="1"}"#] == "2")
    #expect(series[#"tickserver_tick_lateness_seconds_sum{loop="1"}"#] == "3.0003")
  }

  @Test("a server without a memory limit has no series for one")
  func absent() {
    let page = prometheusText(sampleReadings())
    #expect(series(page)["tickserver_memory_limit_bytes"] == nil)
    #expect(page.contains("# TYPE tickserver_memory_limit_bytes gauge\n"))
  }
}

import RoomEngine
import WireFormat

/// One metric of `/metrics`: its name, what it means, and how its samples follow from the readings. Labels come from
/// closed lists (loops, reasons), so that the number of series is bounded whatever clients do.
struct Metric: Sendable {
  let name: String
  let type: PrometheusText.MetricType
  let help: String
  let samples: @Sendable (AdminReadings) -> [Sample]

  struct Sample {
    /// What a histogram puts behind the name: `_bucket`, `_sum`, `_count`.
    var suffix = ""
    var labels: [(name: String, value: String)] = []
    var value: MetricValue
  }

  func write(_ readings: AdminReadings, to text: inout PrometheusText) {
    text.begin(name, type, help: help)
    for sample in samples(readings) { text.sample(name + sample.suffix, sample.value, labels: sample.labels) }
  }
}

/// The page of `/metrics`.
func prometheusText(_ readings: AdminReadings) -> String {
  var text = PrometheusText()
  for metric in Metric.all { metric.write(readings, to: &text) }
  return text.text
}

extension Metric {
  /// Of the server as a whole; nil leaves the sample out.
  static func server(
    _ name: String, _ type: PrometheusText.MetricType, _ help: String,
    _ value: @escaping @Sendable (AdminReadings) -> MetricValue?
  ) -> Metric {
    Metric(name: name, type: type, help: help) { readings in value(readings).map { [Sample(value: $0)] } ?? [] }
  }

  /// One sample a loop.
  static func loop(
    _ name: String, _ type: PrometheusText.MetricType, _ help: String,
    _ value: @escaping @Sendable (LoopSnapshot) -> MetricValue
  ) -> Metric {
    Metric(name: name, type: type, help: help) { readings in
      readings.loops.enumerated().map { Sample(labels: [loopLabel($0.offset)], value: value($0.element)) }
    }
  }

  /// One sample a loop and reason, those that never came included: a rate needs the 0 before the first.
  static func closings(_ name: String, _ help: String, of reasons: [CloseReason]) -> Metric {
    Metric(name: name, type: .counter, help: help) { readings in
      readings.loops.enumerated().flatMap { index, loop in
        reasons.map { reason in
          Sample(
            labels: [loopLabel(index), ("reason", reason.name)], value: MetricValue(loop.ledger.closed[reason] ?? 0))
        }
      }
    }
  }

  /// One sample a loop and cause of what games did wrong.
  static func gameFaults(_ name: String, _ help: String) -> Metric {
    Metric(name: name, type: .counter, help: help) { readings in
      readings.loops.enumerated().flatMap { index, loop in
        GameFault.Cause.all.map { cause in
          Sample(
            labels: [loopLabel(index), ("cause", cause.name)], value: MetricValue(loop.rooms.gameFaults[cause] ?? 0))
        }
      }
    }
  }

  /// Times of ticks in buckets, a set for each loop.
  static func times(
    _ name: String, _ help: String, _ reading: @escaping @Sendable (LoopSnapshot) -> TickHistogram.Reading
  ) -> Metric {
    Metric(name: name, type: .histogram, help: help) { readings in
      readings.loops.enumerated().flatMap { index, loop in
        buckets(reading(loop), loopLabel(index))
      }
    }
  }

  /// Upper bounds for ticks of 33 ms: from what the timer costs to three ticks late. Each is at most 1.5 times the one
  /// before up to a tick's length, so that a percentile read from them is of use.
  static let boundsMicroseconds: [UInt64] = [
    50, 70, 100, 150, 200, 300, 400, 500, 700, 1000, 1500, 2000, 3000, 4000, 5000, 7000, 10_000, 15_000, 20_000, 33_000,
    50_000, 100_000,
  ]

  private static func buckets(_ reading: TickHistogram.Reading, _ loop: (name: String, value: String)) -> [Sample] {
    let finite = boundsMicroseconds.map { bound in
      Sample(
        suffix: "_bucket", labels: [loop, ("le", "\(Double(bound) / 1e6)")],
        value: MetricValue(reading.count(upTo: bound * 1000)))
    }
    return finite + [
      Sample(suffix: "_bucket", labels: [loop, ("le", "+Inf")], value: MetricValue(reading.count)),
      Sample(suffix: "_sum", labels: [loop], value: .number(Double(reading.sumNanoseconds) / 1e9)),
      Sample(suffix: "_count", labels: [loop], value: MetricValue(reading.count)),
    ]
  }

  private static func loopLabel(_ index: Int) -> (name: String, value: String) { ("loop", "\(index)") }
}

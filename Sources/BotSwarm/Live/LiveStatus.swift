/// What the live view shows, put together a few times a second.
package struct LiveStatus: Sendable {
  package enum Phase: String, Sendable {
    case joining, running, leaving
    /// Without the hostile bots, and while they come or go.
    case baseline, mixing
    case census
  }

  package var phase = Phase.joining
  package var elapsedSeconds = 0.0
  /// Of the whole run, as far as it is known: joining may take longer.
  package var totalSeconds = 0.0
  package var setting: RunSetting
  package var connected = 0
  package var joined = 0
  /// Ended before the bot wanted.
  package var lost = 0
  package var last: SecondSample?
  /// Median frames a second, one a second: the sparkline.
  package var rates: [Double] = []
  package var faults = FaultCounts()
  package var hostile: HostileStatus?

  package init(setting: RunSetting) { self.setting = setting }
}

/// A row of block characters, one a value, scaled from 0 to the largest value or `full`, whichever is more.
enum Sparkline {
  private static let blocks = Array("▁▂▃▄▅▆▇█")

  static func text(_ values: [Double], width: Int, full: Double) -> String {
    let top = max(full, values.max() ?? 0)
    guard top > 0 else { return "" }
    return String(
      values.suffix(width).map { value in
        let step = (max(0, value) / top * Double(blocks.count - 1)).rounded()
        return blocks[min(blocks.count - 1, Int(step))]
      })
  }
}

/// A chart as inline SVG: lines over the seconds of a run, or bars over named buckets. Colours come from the page's
/// style sheet, so that it follows light and dark mode; every point has its figures in a tooltip.
struct Chart {
  struct Series {
    let name: String
    /// One a position; nil leaves a gap.
    let values: [Double?]
  }

  enum Shape { case lines, bars }

  let shape: Shape
  /// What stands under the positions; as many as each series has values.
  let labels: [String]
  let series: [Series]
  let format: (Double) -> String
  /// Drawn as a dashed line.
  var limit: (name: String, value: Double)?
  /// Lets the axis start above 0 where the differences of interest are small, as with rates near 30.
  var startsAtZero = true
  /// Positions shaded as steady windows.
  var highlighted: [Range<Int>] = []

  private let width = 600.0
  private let height = 220.0
  private let left = 78.0
  private let right = 14.0
  private let top = 14.0
  private let bottom = 30.0

  init(
    _ shape: Shape, labels: [String], series: [Series], limit: (name: String, value: Double)? = nil,
    startsAtZero: Bool = true, highlighted: [Range<Int>] = [], format: @escaping (Double) -> String
  ) {
    self.shape = shape
    self.labels = labels
    self.series = series
    self.limit = limit
    self.startsAtZero = startsAtZero
    self.highlighted = highlighted
    self.format = format
  }

  /// Nothing to draw in it.
  var isEmpty: Bool { labels.isEmpty || series.allSatisfy { $0.values.allSatisfy { $0 == nil } } }

  func svg(title: String) -> String {
    let scale = Scale(values: drawnValues, startsAtZero: startsAtZero)
    var svg = "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\" aria-label=\"\(HTML.escape(title))\">"
    svg += highlighted.map(highlight).joined()
    for mark in scale.marks {
      let y = self.y(mark, scale)
      svg += "<line class=\"grid\" x1=\"\(at(left))\" x2=\"\(at(width - right))\" y1=\"\(at(y))\" y2=\"\(at(y))\"/>"
      svg += "<text class=\"tick\" x=\"\(at(left - 8))\" y=\"\(at(y + 4))\" text-anchor=\"end\">\(format(mark))</text>"
    }
    svg += axisLabels
    for (index, series) in series.enumerated() {
      switch shape {
      case .lines: svg += line(series, index, scale)
      case .bars: svg += bars(series, index, scale)
      }
    }
    svg += limitLine(scale) + tooltips
    return svg + "</svg>"
  }

  var legend: String {
    guard series.count > 1 || limit != nil else { return "" }
    var items = series.enumerated().map { index, series in
      "<span class=\"key\"><i class=\"swatch s\(index)\"></i>\(HTML.escape(series.name))</span>"
    }
    if let limit { items.append("<span class=\"key\"><i class=\"swatch limit\"></i>\(HTML.escape(limit.name))</span>") }
    return "<div class=\"legend\">\(items.joined())</div>"
  }

  // MARK: Parts

  private var drawnValues: [Double] {
    series.flatMap { $0.values.compactMap { $0 } } + (limit.map { [$0.value] } ?? [])
  }

  private func highlight(_ range: Range<Int>) -> String {
    let range = range.clamped(to: 0..<labels.count)
    guard !range.isEmpty else { return "" }
    let from = x(Double(range.lowerBound)) - step / 2
    let to = x(Double(range.upperBound - 1)) + step / 2
    return
      "<rect class=\"steady\" x=\"\(at(from))\" y=\"\(at(top))\" width=\"\(at(to - from))\" "
      + "height=\"\(at(height - top - bottom))\"/>"
  }

  private var axisLabels: String {
    // About eight labels fit under the axis.
    let every = max(1, (labels.count + 7) / 8)
    var svg = ""
    for (index, label) in labels.enumerated() where index % every == 0 {
      svg +=
        "<text class=\"tick\" x=\"\(at(x(Double(index))))\" y=\"\(at(height - 10))\" text-anchor=\"middle\">"
        + "\(HTML.escape(label))</text>"
    }
    return svg
  }

  private func line(_ series: Series, _ index: Int, _ scale: Scale) -> String {
    var path = ""
    var isDrawing = false
    for (position, value) in series.values.enumerated() {
      guard let value else {
        isDrawing = false
        continue
      }
      path += "\(isDrawing ? "L" : "M")\(at(x(Double(position)))) \(at(y(value, scale)))"
      isDrawing = true
    }
    return "<path class=\"line s\(index)\" d=\"\(path)\"/>"
  }

  private func bars(_ series: Series, _ index: Int, _ scale: Scale) -> String {
    let base = y(scale.low, scale)
    let thickness = min(48, step * 0.72)
    var svg = ""
    for (position, value) in series.values.enumerated() {
      guard let value, value > 0 else { continue }
      // A bucket with a single value must not vanish beside one with a million.
      let height = max(1.5, base - y(value, scale))
      svg +=
        "<rect class=\"bar s\(index)\" x=\"\(at(x(Double(position)) - thickness / 2))\" y=\"\(at(base - height))\" "
        + "width=\"\(at(thickness))\" height=\"\(at(height))\" rx=\"2\"/>"
    }
    return svg
  }

  private func limitLine(_ scale: Scale) -> String {
    guard let limit else { return "" }
    let y = at(self.y(limit.value, scale))
    return "<line class=\"limit\" x1=\"\(at(left))\" x2=\"\(at(width - right))\" y1=\"\(y)\" y2=\"\(y)\"/>"
  }

  private var tooltips: String {
    var svg = ""
    for (position, label) in labels.enumerated() {
      var lines = [label]
      for series in series { lines.append("\(series.name): \(series.values[position].map(format) ?? "-")") }
      svg +=
        "<rect class=\"hover\" x=\"\(at(x(Double(position)) - step / 2))\" y=\"\(at(top))\" width=\"\(at(step))\" "
        + "height=\"\(at(height - top - bottom))\"><title>\(HTML.escape(lines.joined(separator: "\n")))</title></rect>"
    }
    return svg
  }

  // MARK: Geometry

  private var step: Double { (width - left - right) / Double(max(1, labels.count)) }

  private func x(_ position: Double) -> Double { left + (position + 0.5) * step }

  private func y(_ value: Double, _ scale: Scale) -> Double {
    top + (height - top - bottom) * (1 - (value - scale.low) / (scale.high - scale.low))
  }

  /// A tenth of a pixel is enough, and keeps the page small.
  private func at(_ value: Double) -> String { Format.decimal(value, places: 1) }
}

/// An axis from one round number to another.
struct Scale {
  let low: Double
  let high: Double
  let marks: [Double]

  init(values: [Double], startsAtZero: Bool) {
    let smallest = startsAtZero ? 0 : values.min() ?? 0
    let largest = max(values.max() ?? 1, smallest)
    let span = largest > smallest ? largest - smallest : max(1, largest.magnitude * 0.1)
    let step = Self.roundStep(span / 4)
    low = (smallest / step).rounded(.down) * step
    let top = (largest / step).rounded(.up) * step
    high = top > low ? top : low + step
    let (low, high) = (self.low, self.high)
    marks = (0...Int(((high - low) / step).rounded())).map { low + Double($0) * step }
  }

  /// The next of 1, 2, 2.5, 5 times a power of ten.
  private static func roundStep(_ raw: Double) -> Double {
    var power = 1.0
    while power * 10 <= raw { power *= 10 }
    while power > raw { power /= 10 }
    for factor in [1, 2, 2.5, 5] where power * factor >= raw { return power * factor }
    return power * 10
  }
}

import Glibc

/// Where a bot is and how it moves on: deterministic for a seed. Metres, seconds, radians; heading 0 is along +x.
package struct Mover: Sendable {
  package private(set) var x: Double
  package private(set) var y: Double
  package private(set) var heading: Double
  package private(set) var speed = 0.0
  /// 0 standing, 1 walking, 2 running, 3 and up gestures.
  package private(set) var animation = 0
  private let profile: MovementProfile
  private let area: Area
  private var random: SplitMix64
  private var wantedSpeed = 0.0
  private var turnPerSecond = 0.0
  private var secondsToDecision = 0.0
  private var secondsToGesture: Double

  /// A rectangle to stay in.
  package struct Area: Hashable, Sendable {
    package var x: ClosedRange<Double>
    package var y: ClosedRange<Double>

    package init(x: ClosedRange<Double>, y: ClosedRange<Double>) {
      self.x = x
      self.y = y
    }
  }

  package init(_ profile: MovementProfile, in area: Area, seed: UInt64) {
    self.profile = profile
    self.area = area
    random = SplitMix64(seed: seed)
    x = random.uniform(area.x)
    y = random.uniform(area.y)
    heading = random.uniform(0...(2 * .pi))
    secondsToGesture = random.uniform(5...20)
  }

  /// Moves on. Does nothing observable for a bot that stands still, so that its inputs can be left out.
  package mutating func step(seconds: Double) {
    secondsToDecision -= seconds
    if secondsToDecision <= 0 { decide() }
    // People take about a second to get from standing to running.
    let most = (profile == .walk ? 3.0 : 12.0) * seconds
    speed += min(max(wantedSpeed - speed, -most), most)
    heading += turnPerSecond * seconds
    if heading < 0 { heading += 2 * .pi }
    if heading >= 2 * .pi { heading -= 2 * .pi }
    x += cos(heading) * speed * seconds
    y += sin(heading) * speed * seconds
    stayInside()
    animate(seconds: seconds)
  }

  private mutating func decide() {
    switch profile {
    case .walk:
      wantedSpeed = random.unit() < 0.75 ? random.uniform(1.4...2) : random.uniform(2...4)
      turnPerSecond = random.uniform(-0.7...0.7)
      secondsToDecision = random.uniform(1...4)
    case .wander:
      wantedSpeed = random.uniform(3...8)
      heading = random.uniform(0...(2 * .pi))
      turnPerSecond = random.uniform(-2...2)
      secondsToDecision = random.uniform(0.3...1.5)
    case .burst:
      let stands = wantedSpeed > 0
      wantedSpeed = stands ? 0 : random.uniform(6...9)
      turnPerSecond = 0
      if !stands { heading = random.uniform(0...(2 * .pi)) }
      secondsToDecision = stands ? random.uniform(1...4) : random.uniform(1...2)
    case .idle:
      secondsToDecision = 60
    }
  }

  /// At a border it turns to the middle of the area, and does not jump.
  private mutating func stayInside() {
    let isInside = area.x.contains(x) && area.y.contains(y)
    x = min(max(x, area.x.lowerBound), area.x.upperBound)
    y = min(max(y, area.y.lowerBound), area.y.upperBound)
    guard !isInside else { return }
    let middleX = (area.x.lowerBound + area.x.upperBound) / 2
    let middleY = (area.y.lowerBound + area.y.upperBound) / 2
    heading = atan2(middleY - y, middleX - x)
    if heading < 0 { heading += 2 * .pi }
  }

  private mutating func animate(seconds: Double) {
    secondsToGesture -= seconds
    if secondsToGesture <= 0 {
      animation = 3 + Int(random.next() % 4)
      secondsToGesture = random.uniform(10...30)
    } else if animation < 3 || secondsToGesture < 8 {
      animation = speed < 0.2 ? 0 : speed < 2.5 ? 1 : 2
    }
  }
}

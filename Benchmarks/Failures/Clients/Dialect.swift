/// How a client speaks with one kind of server. What a client does is the same for all of them.
protocol Dialect: AnyObject {
  /// What to say first; the connection is there.
  func greeting(now: UInt64) -> [UInt8]
  /// Whether the others' updates reach this client now.
  var isReady: Bool { get }
  /// Takes what arrived and tells `ear` what it means.
  ///
  /// - Returns: what to answer; nil when the connection is of no more use.
  func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64, _ ear: any Ear) -> [UInt8]?
  /// The next step of this client's walk, as its update of that number.
  func update(_ number: UInt32, now: UInt64) -> [UInt8]
  /// A message of that many bytes for all others, which none of them may miss.
  func publication(bytes: Int, now: UInt64) -> [UInt8]
}

/// What a dialect tells.
protocol Ear: AnyObject {
  /// A message of the server, whatever is in it.
  func heardMessage()
  /// The newest update of a client that is known here, by its index.
  func heardUpdate(_ number: UInt32, of sender: Int)
  func heardPublication()
}

/// Where a client is by its update's number: it walks along x by 5 cm an update (1.5 m/s at 30 Hz), swings along z and
/// turns. The position along x is the number in another form, so it tells which update a state shows.
struct Walk {
  static let lowX = -512.0
  static let stepX = 0.05
  /// As many steps as fit in the range of the field; then it starts over.
  static let steps: UInt32 = 20_000

  let x: Double
  let z: Double
  /// Radians about the vertical axis.
  let heading: Double
  let animation: Int

  init(number: UInt32, sender: Int) {
    x = Self.lowX + Double(number % Self.steps) * Self.stepX
    let phase = Double(number) * 0.02 + Double(sender)
    z = 20 * Self.triangle(phase)
    heading = 1.2 * Self.triangle(phase * 1.7)
    animation = number / 90 % 2 == 0 ? 1 : 2
  }

  /// The number, modulo ``steps``, of the update that put a client there.
  static func number(atX x: Double) -> UInt32 { UInt32(max(0, ((x - lowX) / stepX).rounded())) }

  /// -1 to 1 and back, period 4.
  private static func triangle(_ phase: Double) -> Double {
    let turn = (phase / 4).truncatingRemainder(dividingBy: 1)
    return turn < 0.5 ? turn * 4 - 1 : 3 - turn * 4
  }
}

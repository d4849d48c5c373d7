/// A rotation as a unit quaternion.
public struct Quaternion: Equatable, Sendable {
  /// Real part.
  public var w: Double
  /// Imaginary parts.
  public var x: Double, y: Double, z: Double

  /// No rotation.
  public static let identity = Quaternion(w: 1, x: 0, y: 0, z: 0)

  /// A quaternion; it is normalised when it is quantised. The zero quaternion counts as the identity.
  public init(w: Double, x: Double, y: Double, z: Double) {
    (self.w, self.x, self.y, self.z) = (w, x, y, z)
  }

  /// The four columns of `docs/protocol.md` section 5.2: index of the largest, then the other three.
  package func quantised(bits: Int) -> (index: Int32, a: Int32, b: Int32, c: Int32) {
    let length = (w * w + x * x + y * y + z * z).squareRoot()
    guard length > 0, length.isFinite else { return (0, 0, 0, 0) }
    let parts = (w / length, x / length, y / length, z / length)
    let sizes = (parts.0.magnitude, parts.1.magnitude, parts.2.magnitude, parts.3.magnitude)
    let largest = max(sizes.0, sizes.1, sizes.2, sizes.3)
    func word(_ part: Double, sign: Double) -> Int32 {
      let most = Double(Int32(1) << Int32(bits - 1) - 1)
      let scaled = (part * sign * 2.0.squareRoot() * most).rounded(.toNearestOrEven)
      return Int32(min(max(scaled, -most), most))
    }
    func pack(_ index: Int32, _ big: Double, _ a: Double, _ b: Double, _ c: Double) -> (Int32, Int32, Int32, Int32) {
      let sign: Double = big < 0 ? -1 : 1
      return (index, word(a, sign: sign), word(b, sign: sign), word(c, sign: sign))
    }
    if sizes.0 == largest { return pack(0, parts.0, parts.1, parts.2, parts.3) }
    if sizes.1 == largest { return pack(1, parts.1, parts.0, parts.2, parts.3) }
    if sizes.2 == largest { return pack(2, parts.2, parts.0, parts.1, parts.3) }
    return pack(3, parts.3, parts.0, parts.1, parts.2)
  }

  package init(index: Int32, a: Int32, b: Int32, c: Int32, bits: Int) {
    let scale = 1 / (Double(Int32(1) << Int32(bits - 1) - 1) * 2.0.squareRoot())
    let (a, b, c) = (Double(a) * scale, Double(b) * scale, Double(c) * scale)
    let largest = max(0, 1 - a * a - b * b - c * c).squareRoot()
    switch index {
    case 0: self.init(w: largest, x: a, y: b, z: c)
    case 1: self.init(w: a, x: largest, y: b, z: c)
    case 2: self.init(w: a, x: b, y: largest, z: c)
    default: self.init(w: a, x: b, y: c, z: largest)
    }
  }
}

import Testing
import VectorGenerator
import WireFormat

@Suite struct QuantisationTests {
  private let centimetres = FixedPoint(range: -512...512, step: 0.01)

  @Test func quantisingTwiceChangesNothing() {
    var random = SplitMix64(seed: 1)
    for _ in 0..<10_000 {
      let once = centimetres.quantise(Double.random(in: -600...600, using: &random))
      #expect(centimetres.quantise(centimetres.value(of: once)) == once)
    }
  }

  @Test func theErrorIsAtMostHalfAStep() {
    var random = SplitMix64(seed: 2)
    for _ in 0..<10_000 {
      let value = Double.random(in: -512...512, using: &random)
      let error = (centimetres.value(of: centimetres.quantise(value)) - value).magnitude
      #expect(error <= 0.005 + 1e-9, "\(value)")
    }
  }

  @Test func valuesBeyondTheRangeAreClamped() {
    #expect(centimetres.quantise(1e9) == 51200)
    #expect(centimetres.quantise(-1e9) == -51200)
    #expect(centimetres.quantise(.infinity) == 51200)
    #expect(centimetres.quantise(-.infinity) == -51200)
    #expect(centimetres.quantise(.greatestFiniteMagnitude) == 51200)
  }

  @Test func notANumberIsZeroOrTheNearestBound() {
    #expect(centimetres.quantise(.nan) == 0)
    #expect(FixedPoint(low: 10, high: 20, step: 1).quantise(.nan) == 10)
    #expect(FixedPoint(low: -20, high: -10, step: 1).quantise(.nan) == -10)
  }

  @Test func theWidestRangeHoldsItsEnds() {
    let widest = FixedPoint(low: .min, high: .max, step: 1)
    #expect(widest.quantise(1e300) == .max)
    #expect(widest.quantise(-1e300) == .min)
    #expect(widest.quantise(Double(Int32.max)) == .max)
    #expect(widest.quantise(Double(Int32.max) - 1) == Int32.max - 1)
  }

  @Test func aBoundThatIsAMultipleOfTheStepBelongsToTheRange() {
    // 0.3 / 0.1 and 0.7 / 0.1 are a little less than 3 and 7 in binary.
    #expect(FixedPoint(range: -0.3...0.7, step: 0.1) == FixedPoint(low: -3, high: 7, step: 0.1))
    #expect(FixedPoint(range: -0.35...0.75, step: 0.1) == FixedPoint(low: -3, high: 7, step: 0.1))
  }

  // MARK: Quaternions

  private func randomRotation(_ random: inout SplitMix64) -> Quaternion {
    func part() -> Double { Double.random(in: -1...1, using: &random) }
    let (w, x, y, z) = (part(), part(), part(), part())
    let length = (w * w + x * x + y * y + z * z).squareRoot()
    return Quaternion(w: w / length, x: x / length, y: y / length, z: z / length)
  }

  private func roundTrip(_ rotation: Quaternion, bits: Int) -> Quaternion {
    let (index, a, b, c) = rotation.quantised(bits: bits)
    return Quaternion(index: index, a: a, b: b, c: c, bits: bits)
  }

  @Test(arguments: [2, 5, 10, 15])
  func aRotationComesBackWithinItsBits(bits: Int) {
    var random = SplitMix64(seed: UInt64(bits))
    let most = Double(1 << (bits - 1) - 1)
    // Each small part is off by half a step at most; the largest part is at least 1/2, so its error is at most 3 times
    // as large, and as much again for the curve.
    let bound = 6 * 0.5 / (most * 2.0.squareRoot())
    for _ in 0..<2_000 {
      let rotation = randomRotation(&random)
      let back = roundTrip(rotation, bits: bits)
      let sign: Double =
        rotation.w * back.w + rotation.x * back.x + rotation.y * back.y + rotation.z * back.z < 0 ? -1 : 1
      for (one, other) in [
        (rotation.w, back.w), (rotation.x, back.x), (rotation.y, back.y), (rotation.z, back.z),
      ] {
        #expect((one - sign * other).magnitude <= bound, "\(rotation) at \(bits) bits")
      }
    }
  }

  @Test func aQuaternionAndItsNegativeAreOneRotation() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<1_000 {
      let one = randomRotation(&random)
      let other = Quaternion(w: -one.w, x: -one.x, y: -one.y, z: -one.z)
      #expect(one.quantised(bits: 12) == other.quantised(bits: 12))
    }
  }

  @Test func quaternionPartsStayWithinTheirBits() {
    let half = Quaternion(w: 0.5, x: -0.5, y: 0.5, z: -0.5)
    for bits in 2...15 {
      let (_, a, b, c) = half.quantised(bits: bits)
      let most = Int32(1 << (bits - 1) - 1)
      for part in [a, b, c] { #expect(part.magnitude <= most.magnitude) }
    }
  }

  @Test func whatIsNoRotationIsTheIdentity() {
    for bad in [
      Quaternion(w: 0, x: 0, y: 0, z: 0), Quaternion(w: .nan, x: 0, y: 0, z: 1),
      Quaternion(w: .infinity, x: 0, y: 0, z: 0),
    ] {
      #expect(bad.quantised(bits: 10) == (0, 0, 0, 0))
    }
    #expect(Quaternion(index: 0, a: 0, b: 0, c: 0, bits: 10) == .identity)
  }
}

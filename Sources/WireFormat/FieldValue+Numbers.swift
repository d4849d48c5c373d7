extension Double: FieldValue {
  /// Fixed fields, and angles in degrees.
  @inlinable
  public static func fits(_ type: FieldType) -> Bool {
    switch type {
    case .fixed, .angle: true
    default: false
    }
  }

  /// The number in the field's unit, or degrees from 0 up to 360.
  @inlinable
  public init(words: SIMD4<Int32>, of type: FieldType) {
    switch type {
    case .fixed(let fixed): self = fixed.value(of: words.x)
    case .angle(let steps): self = Double(words.x) * 360 / Double(steps)
    default: self = 0
    }
  }

  /// The nearest step in range; angles wrap; NaN counts as 0.
  @inlinable
  public func words(for type: FieldType) -> SIMD4<Int32> {
    switch type {
    case .fixed(let fixed): return SIMD4(fixed.quantise(self), 0, 0, 0)
    case .angle(let steps):
      guard isFinite else { return SIMD4() }
      // Reduced to one turn first, so that the product is in range of an Int32 whatever the angle.
      let turn = (self / 360).truncatingRemainder(dividingBy: 1)
      let step = Int32((turn * Double(steps)).rounded(.toNearestOrEven))
      let count = Int32(truncatingIfNeeded: steps)
      return SIMD4(step < 0 ? step + count : step == count ? 0 : step, 0, 0, 0)
    default: return SIMD4()
    }
  }

  /// Linear; angles take the shortest way round.
  @inlinable
  public func interpolated(to next: Double, fraction: Double, in type: FieldType) -> Double {
    guard case .angle = type else { return self + (next - self) * fraction }
    var way = (next - self).truncatingRemainder(dividingBy: 360)
    if way > 180 { way -= 360 } else if way < -180 { way += 360 }
    let angle = (self + way * fraction).truncatingRemainder(dividingBy: 360)
    return angle < 0 ? angle + 360 : angle
  }
}

extension SIMD2<Double>: FieldValue {
  /// Vectors of 2 components.
  @inlinable
  public static func fits(_ type: FieldType) -> Bool {
    if case .vector(2, _) = type { true } else { false }
  }

  /// The components in the field's unit.
  @inlinable
  public init(words: SIMD4<Int32>, of type: FieldType) {
    let all = SIMD4<Double>(words: words, of: type)
    self.init(all.x, all.y)
  }

  /// Each component as a fixed field.
  @inlinable
  public func words(for type: FieldType) -> SIMD4<Int32> {
    guard case .vector(_, let fixed) = type else { return SIMD4() }
    return SIMD4(fixed.quantise(x), fixed.quantise(y), 0, 0)
  }

  /// Linear.
  @inlinable
  public func interpolated(to next: Self, fraction: Double, in type: FieldType) -> Self {
    self + (next - self) * fraction
  }
}

extension SIMD3<Double>: FieldValue {
  /// Vectors of 3 components.
  @inlinable
  public static func fits(_ type: FieldType) -> Bool {
    if case .vector(3, _) = type { true } else { false }
  }

  /// The components in the field's unit.
  @inlinable
  public init(words: SIMD4<Int32>, of type: FieldType) {
    let all = SIMD4<Double>(words: words, of: type)
    self.init(all.x, all.y, all.z)
  }

  /// Each component as a fixed field.
  @inlinable
  public func words(for type: FieldType) -> SIMD4<Int32> {
    guard case .vector(_, let fixed) = type else { return SIMD4() }
    return SIMD4(fixed.quantise(x), fixed.quantise(y), fixed.quantise(z), 0)
  }

  /// Linear.
  @inlinable
  public func interpolated(to next: Self, fraction: Double, in type: FieldType) -> Self {
    self + (next - self) * fraction
  }
}

extension SIMD4<Double>: FieldValue {
  /// Vectors of 4 components.
  @inlinable
  public static func fits(_ type: FieldType) -> Bool {
    if case .vector(4, _) = type { true } else { false }
  }

  /// The components in the field's unit.
  @inlinable
  public init(words: SIMD4<Int32>, of type: FieldType) {
    guard case .vector(_, let fixed) = type else {
      self.init()
      return
    }
    self = SIMD4<Double>(words) * fixed.step
  }

  /// Each component as a fixed field.
  @inlinable
  public func words(for type: FieldType) -> SIMD4<Int32> {
    guard case .vector(_, let fixed) = type else { return SIMD4<Int32>() }
    return SIMD4<Int32>(fixed.quantise(x), fixed.quantise(y), fixed.quantise(z), fixed.quantise(w))
  }

  /// Linear.
  @inlinable
  public func interpolated(to next: Self, fraction: Double, in type: FieldType) -> Self {
    self + (next - self) * fraction
  }
}

extension Quaternion: FieldValue {
  /// Quaternion fields.
  @inlinable
  public static func fits(_ type: FieldType) -> Bool {
    if case .quaternion = type { true } else { false }
  }

  /// The rotation, of unit length but for the quantisation.
  public init(words: SIMD4<Int32>, of type: FieldType) {
    guard case .quaternion(let bits) = type else {
      self = .identity
      return
    }
    self.init(index: words.x, a: words.y, b: words.z, c: words.w, bits: bits)
  }

  /// Index of the largest component and the other three.
  public func words(for type: FieldType) -> SIMD4<Int32> {
    guard case .quaternion(let bits) = type else { return SIMD4() }
    let quantised = quantised(bits: bits)
    return SIMD4(quantised.index, quantised.a, quantised.b, quantised.c)
  }

  /// Normalised linear interpolation, the shorter way: exact at both ends, and within a degree in between for turns of
  /// less than a quarter between two ticks.
  public func interpolated(to next: Quaternion, fraction: Double, in type: FieldType) -> Quaternion {
    let dot = w * next.w + x * next.x + y * next.y + z * next.z
    let far = dot < 0 ? -fraction : fraction
    let near = 1 - fraction
    let mixed = Quaternion(
      w: w * near + next.w * far, x: x * near + next.x * far, y: y * near + next.y * far,
      z: z * near + next.z * far)
    let length = (mixed.w * mixed.w + mixed.x * mixed.x + mixed.y * mixed.y + mixed.z * mixed.z).squareRoot()
    guard length > 0, length.isFinite else { return self }
    return Quaternion(w: mixed.w / length, x: mixed.x / length, y: mixed.y / length, z: mixed.z / length)
  }
}

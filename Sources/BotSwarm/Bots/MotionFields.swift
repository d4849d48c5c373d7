import ClientCore
import Glibc
package import WireFormat

/// Which fields of a schema a bot moves, found by type and by common names (`docs/botswarm.md` lists them): the swarm
/// plays any room kind.
package struct MotionFields: Sendable {
  /// Components of a place in the plane, and up.
  private enum Place {
    case two(FieldKey<SIMD2<Double>>)
    case three(FieldKey<SIMD3<Double>>)
    case components(x: FieldKey<Double>, y: FieldKey<Double>, up: FieldKey<Double>?)
    case none
  }

  /// The kind of the bots' own entities.
  package let kind: KindIndex
  /// Where bots may go: at most 100 metres across, so that they meet.
  package let area: Mover.Area
  private let place: Place
  private let heading: FieldKey<Double>?
  private let rotation: FieldKey<Quaternion>?
  private let animation: FieldKey<Int>?
  private let animationLimit: Int

  private static let largestHalfWidth = 50.0
  private static let placeNames = ["position", "pos", "location", "translation"]
  private static let headingNames = ["yaw", "heading", "direction", "facing", "rotation", "angle"]
  private static let animationNames = ["animation", "anim", "action", "pose", "state"]

  /// The first kind with a place to move; nil when the schema has none.
  package init?(_ schema: Schema) {
    for kind in schema.kinds {
      if let found = MotionFields(kind, schema) {
        self = found
        return
      }
    }
    return nil
  }

  private init?(_ kind: EntityKind, _ schema: Schema) {
    guard let index = schema.kind(named: kind.name) else { return nil }
    self.kind = index
    func key<Value: FieldValue>(_ names: [String], _ type: Value.Type) -> FieldKey<Value>? {
      for name in names {
        let field = kind.fields.first { $0.name.lowercased() == name && Value.fits($0.type) }
        if let field, let key = try? schema.key(kind.name, field.name, as: type) { return key }
      }
      return nil
    }
    func any<Value: FieldValue>(_ type: Value.Type, where isSuitable: (FieldType) -> Bool) -> FieldKey<Value>? {
      let field = kind.fields.first { isSuitable($0.type) && Value.fits($0.type) }
      return field.flatMap { try? schema.key(kind.name, $0.name, as: type) }
    }
    let isAny: (FieldType) -> Bool = { _ in true }
    let x = key(["x", "posx", "positionx"], Double.self)
    let y = key(["y", "posy", "positiony"], Double.self)
    let z = key(["z", "posz", "positionz"], Double.self)
    if let three = key(Self.placeNames, SIMD3<Double>.self) {
      place = .three(three)
    } else if let two = key(Self.placeNames, SIMD2<Double>.self) {
      place = .two(two)
    } else if let x, let z {
      place = .components(x: x, y: z, up: y)
    } else if let x, let y {
      place = .components(x: x, y: y, up: nil)
    } else if let three = any(SIMD3<Double>.self, where: isAny) {
      place = .three(three)
    } else if let two = any(SIMD2<Double>.self, where: isAny) {
      place = .two(two)
    } else {
      return nil
    }
    switch place {
    case .two(let key): area = Self.area(key.type, key.type)
    case .three(let key): area = Self.area(key.type, key.type)
    case .components(let x, let y, _): area = Self.area(x.type, y.type)
    case .none: return nil
    }
    heading =
      key(Self.headingNames, Double.self)
      ?? any(Double.self) { if case .angle = $0 { true } else { false } }
    rotation = any(Quaternion.self, where: isAny)
    animation = key(Self.animationNames, Int.self)
    animationLimit = Self.most(animation?.type)
  }

  /// Sets the fields that differ from what was last sent.
  func write(_ mover: Mover, of entity: EntityID, previous: inout Written, to core: ClientCore) throws {
    let moved = previous.x != mover.x || previous.y != mover.y
    let turned = previous.heading != mover.heading
    if moved {
      switch place {
      case .two(let key): try core.set(key, of: entity, to: SIMD2(mover.x, mover.y))
      case .three(let key): try core.set(key, of: entity, to: SIMD3(mover.x, 0, mover.y))
      case .components(let x, let y, _):
        try core.set(x, of: entity, to: mover.x)
        try core.set(y, of: entity, to: mover.y)
      case .none: break
      }
    }
    if turned, let heading { try core.set(heading, of: entity, to: mover.heading * 180 / .pi) }
    if turned, let rotation { try core.set(rotation, of: entity, to: Self.turn(mover.heading)) }
    let animation = min(mover.animation, animationLimit)
    if previous.animation != animation, let key = self.animation { try core.set(key, of: entity, to: animation) }
    previous = Written(x: mover.x, y: mover.y, heading: mover.heading, animation: animation)
  }

  /// What the server was last told.
  package struct Written: Hashable, Sendable {
    var x = Double.nan
    var y = Double.nan
    var heading = Double.nan
    var animation = 0

    package init() {}

    init(x: Double, y: Double, heading: Double, animation: Int) {
      (self.x, self.y, self.heading, self.animation) = (x, y, heading, animation)
    }
  }

  /// About the vertical axis, which is y where there are three.
  private static func turn(_ radians: Double) -> Quaternion {
    Quaternion(w: cos(radians / 2), x: 0, y: sin(radians / 2), z: 0)
  }

  private static func area(_ one: FieldType, _ other: FieldType) -> Mover.Area {
    Mover.Area(x: range(one), y: range(other))
  }

  private static func range(_ type: FieldType) -> ClosedRange<Double> {
    let fixed: FixedPoint
    switch type {
    case .fixed(let found), .vector(_, let found): fixed = found
    default: return 0...0
    }
    let (low, high) = (Double(fixed.low) * fixed.step, Double(fixed.high) * fixed.step)
    let middle = low <= 0 && high >= 0 ? min(max(0, low), high) : (low + high) / 2
    // A range from 0 upwards has no room below its middle.
    let centre = middle - low < 1 || high - middle < 1 ? (low + high) / 2 : middle
    let half = min(largestHalfWidth, centre - low, high - centre)
    return (centre - half)...(centre + half)
  }

  private static func most(_ type: FieldType?) -> Int {
    switch type {
    case .unsigned(let bits): (1 << min(bits, 16)) - 1
    case .signed(let bits): (1 << min(bits - 1, 16)) - 1
    default: 0
    }
  }
}

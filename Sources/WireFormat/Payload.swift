/// What an event, a call or a reply carries, as a type of the game's own, shared by server and clients.
///
/// ```swift
/// struct Fragged: GameEvent {
///   static let code: UInt16 = 17
///   var victim: PlayerID
///   var killer: PlayerID
///
///   func write(to payload: inout PayloadWriter) {
///     payload.put(victim)
///     payload.put(killer)
///   }
///   init(from payload: inout PayloadReader) throws(WireError) {
///     victim = try payload.player()
///     killer = try payload.player()
///   }
/// }
/// ```
///
/// Reading never traps: what the other side sent is checked, and bytes left over are an error.
public protocol Payload: Sendable {
  /// Reads in the order of ``write(to:)``.
  init(from payload: inout PayloadReader) throws(WireError)

  /// Writes every field; at most ``WireLimits/payloadBytes`` in all.
  func write(to payload: inout PayloadWriter)
}

extension Payload {
  /// Reads a whole payload.
  ///
  /// - Throws: ``WireError`` when the bytes do not follow the layout, or some are left over.
  public init(_ bytes: [UInt8]) throws(WireError) {
    var reader = PayloadReader(bytes)
    try self.init(from: &reader)
    try reader.end()
  }

  /// The bytes to send.
  public var bytes: [UInt8] {
    var writer = PayloadWriter()
    write(to: &writer)
    return writer.bytes
  }
}

/// A payload that is an event, with the code that tells it from others.
public protocol GameEvent: Payload {
  /// 16 to 65,535, unique in the game.
  static var code: UInt16 { get }
}

/// Writes the fields of a payload, one after the other.
public struct PayloadWriter: Sendable {
  /// What was written.
  public private(set) var bytes: [UInt8] = []

  /// An empty payload.
  public init() {}

  /// One byte.
  public mutating func put(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

  /// One byte from -64 to 63, two to 8,191 either way, then one more for every seven bits.
  public mutating func put(_ number: Int) {
    put(varint: UInt64(bitPattern: Int64(number &<< 1 ^ number &>> 63)))
  }

  /// The nearest multiple of `step`, as the number of steps: within 32 bits of them, NaN counts as 0.
  public mutating func put(_ number: Double, step: Double) {
    put(Int(FixedPoint(low: .min, high: .max, step: step).quantise(number)))
  }

  /// UTF-8 with its length.
  public mutating func put(_ text: String) {
    put(varint: UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  /// One byte up to player 127, two up to 16,383.
  public mutating func put(_ player: PlayerID) { put(varint: UInt64(player.rawValue)) }

  /// A byte for the kind, and the id as a player's.
  public mutating func put(_ entity: EntityID) {
    put(varint: UInt64(entity.kind.rawValue))
    put(varint: UInt64(entity.id))
  }

  /// The number of elements, then each.
  public mutating func put(_ list: [some Payload]) {
    put(varint: UInt64(list.count))
    for element in list { element.write(to: &self) }
  }

  private mutating func put(varint value: UInt64) {
    bytes.append(contentsOf: encodedBytes(bound: 10) { $0.put(varint: value) })
  }
}

/// Reads the fields of a payload, in the order they were written.
public struct PayloadReader: Sendable {
  private let bytes: [UInt8]
  private var at = 0

  /// Reads from the start of `bytes`.
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// A flag.
  public mutating func bool() throws(WireError) -> Bool { try number(in: 0...1, "flag") == 1 }

  /// A number in `range`.
  public mutating func int(in range: ClosedRange<Int> = Int.min...Int.max) throws(WireError) -> Int {
    let start = at
    let coded = try read { (bytes, at) throws(WireError) in try bytes.varint(&at, "number") }
    let number = Int(truncatingIfNeeded: coded &>> 1) ^ -Int(truncatingIfNeeded: coded & 1)
    guard range.contains(number) else { throw WireError(.outOfRange, at: start, "number") }
    return number
  }

  /// A number in multiples of `step`, the same as it was written with.
  public mutating func double(step: Double) throws(WireError) -> Double {
    Double(try int(in: Int(Int32.min)...Int(Int32.max))) * step
  }

  /// A text of at most `maxBytes` bytes.
  public mutating func string(maxBytes: Int = WireLimits.payloadBytes) throws(WireError) -> String {
    try read { (bytes, at) throws(WireError) in try bytes.string(&at, lengths: 0...maxBytes, "text") }
  }

  /// A player, present or not.
  public mutating func player() throws(WireError) -> PlayerID {
    PlayerID(rawValue: try read { (bytes, at) throws(WireError) in try bytes.varint16(&at, "player") })
  }

  /// An entity, existing or not.
  public mutating func entity() throws(WireError) -> EntityID {
    let kind = try number(in: 0...UInt64(WireLimits.kinds - 1), "kind")
    let id = try read { (bytes, at) throws(WireError) in try bytes.varint16(&at, "entity") }
    return EntityID(kind: KindIndex(UInt8(kind)), id: id)
  }

  /// A list of at most `most` elements.
  public mutating func list<Element: Payload>(
    of type: Element.Type = Element.self, atMost most: Int
  ) throws(WireError) -> [Element] {
    var list: [Element] = []
    for _ in 0..<(try number(in: 0...UInt64(most), "count")) { list.append(try Element(from: &self)) }
    return list
  }

  /// Checks that everything was read.
  public func end() throws(WireError) { try bytes.span.end(at) }

  private mutating func number(in range: ClosedRange<UInt64>, _ field: String) throws(WireError) -> Int {
    try read { (bytes, at) throws(WireError) in try bytes.varint(&at, in: range, field) }
  }

  private mutating func read<Value>(
    _ body: (Span<UInt8>, inout Int) throws(WireError) -> Value
  ) throws(WireError) -> Value {
    let bytes = bytes
    return try body(bytes.span, &at)
  }
}

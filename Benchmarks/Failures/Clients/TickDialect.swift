import ClientCore
import Glibc
import WireFormat

/// The dialect of TickServer, spoken by its own client core: inputs for the avatar in a room of kind `arena`, reliable
/// events.
final class TickDialect: Dialect {
  /// What the clients of a process know together: which player is which client. Confined to their loop.
  final class Company {
    var index: [PlayerID: Int] = [:]
  }

  /// The avatar's fields that tell of a walk.
  private struct Fields {
    let position: FieldKey<SIMD3<Double>>
    let rotation: FieldKey<Quaternion>
    let animation: FieldKey<Int>

    init(_ schema: Schema) throws(SchemaError) {
      position = try schema.key("avatar", "position")
      rotation = try schema.key("avatar", "rotation")
      animation = try schema.key("avatar", "animation")
    }
  }

  private static let room = "failures"
  private static let eventCode: UInt16 = 16

  private let index: Int
  private let company: Company
  private let core: ClientCore
  private var cutter = MessageAssembler(limit: WireLimits.serverMessageBytes)
  private var fields: Fields?
  private var avatar: EntityID?
  /// Set during `receive` alone.
  private var ear: (any Ear)?

  /// - Parameter keepsState: decode the state, as a player needs it; without it only events are followed.
  init(index: Int, company: Company, keepsState: Bool) {
    self.index = index
    self.company = company
    // A client that stalls must not end its connection by itself: an hour is longer than any run.
    core = ClientCore(ClientConfiguration(keepsState: keepsState, silenceMilliseconds: 3_600_000))
  }

  var isReady: Bool { core.seat?.tick != nil }

  func greeting(now: UInt64) -> [UInt8] {
    // A fault here shows as a client that is never ready.
    try? core.connect(now: now)
    return core.takeOutput()
  }

  func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64, _ ear: any Ear) -> [UInt8]? {
    let span = bytes.assumingMemoryBound(to: UInt8.self).span
    self.ear = ear
    defer { self.ear = nil }
    // Cut once more, only to count.
    _ = try? cutter.feed(span) { _, _ in
      ear.heardMessage()
      return .proceed
    }
    return core.receive(span, now: now, self) ? core.takeOutput() : nil
  }

  func update(_ number: UInt32, now: UInt64) -> [UInt8] {
    _ = core.tick(now: now)
    let walk = Walk(number: number, sender: index)
    if let fields, let avatar = findAvatar() {
      do throws(ClientMisuse) {
        try core.set(fields.position, of: avatar, to: SIMD3(walk.x, 0, walk.z))
        let rotation = Quaternion(w: cos(walk.heading / 2), x: 0, y: sin(walk.heading / 2), z: 0)
        try core.set(fields.rotation, of: avatar, to: rotation)
        try core.set(fields.animation, of: avatar, to: walk.animation)
        try core.flushInput()
      } catch {
        // The avatar has gone since the last frame: looked for again next time.
        self.avatar = nil
      }
    }
    return core.takeOutput()
  }

  func publication(bytes: Int, now: UInt64) -> [UInt8] {
    _ = core.tick(now: now)
    let payload = [UInt8](repeating: 0x78, count: bytes)
    // Refused outside of a room alone, where nobody would hear it.
    try? core.raise(Self.eventCode, to: .others, reliably: true, payload: payload.span)
    return core.takeOutput()
  }

  private func findAvatar() -> EntityID? {
    guard avatar == nil, let player = core.seat?.player, let table = core.tables.first else { return avatar }
    table.forEach { id in
      if table.owner(of: id) == player { avatar = EntityID(kind: KindIndex(0), id: UInt16(id)) }
    }
    return avatar
  }
}

extension TickDialect: ClientCoreDelegate {
  func client(_ core: ClientCore, didReceive welcome: Welcome) {
    try? core.join(Self.room, kind: "arena")
  }

  func client(_ core: ClientCore, didReceive joined: Joined) {
    company.index[joined.player] = index
    fields = core.seat.flatMap { try? Fields($0.schema) }
  }

  func client(_ core: ClientCore, didApply frame: FrameContent) {
    guard let fields, let table = core.tables.first else { return }
    for entity in frame.changed where entity != avatar {
      guard let owner = table.owner(of: Int(entity.id)), let sender = company.index[owner] else { continue }
      ear?.heardUpdate(Walk.number(atX: table.load(fields.position, Int(entity.id)).x), of: sender)
    }
  }

  func client(_ core: ClientCore, didReceive event: RoomEvent, payload: Span<UInt8>) {
    if event.code == Self.eventCode { ear?.heardPublication() }
  }
}

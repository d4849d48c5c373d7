import ClientCore
import EventLoop
import WireFormat

/// Keeps to the rates that a server allows and asks for as much work as they let it, for some seconds at a time. It must
/// be let stay: nobody else may notice.
class BusyBot: HostileBot {
  private static let roundSeconds = 4.0

  var isBusy = false

  /// How a round may end; `kept` is the end of its time.
  var ends: Set<String> { ["kept"] }
  var room: String { surroundings.healthyRoom(index) }
  var needsState: Bool { false }

  func work(_ link: HostileLink) {}

  override func begin() {
    isBusy = false
    forgetSeat()
    client(joining: room, keepsState: needsState)
  }

  override func joined(_ link: HostileLink) {
    isBusy = true
    act(expecting: ends, withinSeconds: Self.roundSeconds)
  }

  override func turn(now: UInt64) {
    if isBusy, let link = links.first, link.isOpen { work(link) }
  }

  override func deadlinePassed() { judge("kept") }
}

/// Raises reliable events of the largest size, 50 a second. Alone it fills an eighth of what a room has for events in a tick;
/// several fill it all, and then those wait that raise most.
final class EventFloodBot: BusyBot {
  private static let payload = [UInt8](repeating: 0x55, count: 1000)
  private static let code: UInt16 = 65_000

  // Where others fill the tick, what waits of one member is bounded.
  override var ends: Set<String> { ["kept"] }
  override var room: String { surroundings.ownRoom(kind, index) }

  override func work(_ link: HostileLink) {
    try? link.core?.raise(Self.code, to: .all, reliably: true, payload: Self.payload.span)
    link.flushCore()
  }
}

/// Gives an entity up and asks for another one, all the time: in a relay room each pair uses an id.
final class EntityChurnBot: BusyBot {
  override var needsState: Bool { true }

  override func work(_ link: HostileLink) {
    guard let core = link.core, let player = core.seat?.player else { return }
    let entity = own(core, player)
    if let entity {
      let id = entity.id
      let payload = [entity.kind.rawValue, UInt8(truncatingIfNeeded: id), UInt8(truncatingIfNeeded: id >> 8)]
      _ = try? core.call(2, payload: payload.span)
    }
    // Refused while it still has as many as it may: the calls are answered in their order.
    _ = try? core.call(1, payload: [entity?.kind.rawValue ?? 0].span)
    link.flushCore()
  }

  private func own(_ core: ClientCore, _ player: PlayerID) -> EntityID? {
    for (kind, table) in core.tables.enumerated() {
      var found: Int?
      table.forEach { if found == nil, table.owner(of: $0) == player { found = $0 } }
      if let found { return EntityID(kind: KindIndex(UInt8(kind)), id: UInt16(found)) }
    }
    return nil
  }
}

/// Loses its connection as soon as it has a seat, and resumes it, over and over: each time it may ask for a keyframe. None
/// may be refused; beyond four at once they may have to wait.
final class ResumeLoopBot: HostileBot {
  private static let resumes = 8
  /// Four at once, one a second after that, and some for the machine.
  private static let mostSeconds = 15.0

  private var greetings = 0

  override func begin() {
    greetings = 0
    forgetSeat()
    client(joining: surroundings.ownRoom(kind, index))
  }

  override func joined(_ link: HostileLink) {
    greetings += 1
    if greetings == 1 { act(expecting: ["resumed"], withinSeconds: Self.mostSeconds) }
    guard greetings <= Self.resumes else { return judge("resumed") }
    link.letGo { $0.reset() }
    client(joining: surroundings.ownRoom(kind, index))
  }
}

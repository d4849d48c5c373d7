import ClientCore
import WireFormat

/// Stops reading until the server is kept waiting, then goes on within the deadline: it must be let stay, get one
/// keyframe in place of what it missed, and every reliable event. A second connection in the same room, which reads all
/// the time, tells what is right.
///
/// How much the kernels hold before the server waits, no client can see. So the first such bot lets itself be ended, and
/// what it missed until the deadline began is what they hold.
final class ZeroWindowBot: StallingBot {
  private enum Stage {
    case joining
    case stopped
    /// The server waits since then.
    case full(since: UInt64)
    case reading
  }

  /// Long enough for the frame log to move on, short of the deadline.
  private static let pauseShare = 0.6
  private static let convergeSeconds = 10.0
  /// A second of equal states.
  private static let equalFrames = 30
  private static let rememberedEvents: UInt64 = 4_096

  private var stage = Stage.joining
  private var witness: HostileLink?
  private var book = BotRoom(name: "", members: 0)
  /// Digests of reliable events, by number; whoever hears one first leaves it to the other.
  private var events: [UInt64: Int] = [:]
  /// Where the witness stood when reading began again: only what comes after it shows that the bot caught up.
  private var target: Tick?
  private var equal = 0
  private var keyframes = 0
  private var joinedLinks = 0

  override func begin() {
    stage = .joining
    book = BotRoom(name: "", members: 0)
    events = [:]
    (equal, keyframes, joinedLinks) = (0, 0, 0)
    client(
      joining: surroundings.healthyRoom(index), keepsState: true, receiveBufferBytes: HostileSocket.tinyBufferBytes)
    let witness = HostileLink(
      of: self, core: newCore(keepsState: true), room: surroundings.healthyRoom(index))
    self.witness = witness
    open(witness)
  }

  override var bufferBytes: Double { surroundings.learntBufferBytes ?? .infinity }

  override func joined(_ link: HostileLink) {
    joinedLinks += 1
    guard joinedLinks == 2, let main = links.first else { return }
    stage = .stopped
    super.joined(main)
  }

  /// Ended while it did not read: it was too late, and knows better the next time. Sooner than the deadline is wrong.
  override func ended(_ link: HostileLink, _ name: String) {
    let limit = surroundings.hostile.limits.stallSeconds
    switch stage {
    case .stopped, .full:
      guard link !== witness, rightEnds.contains(name) else { return judge(name) }
      guard stoppedSeconds >= limit else { return judge("\(name) too early") }
      surroundings.learntBufferBytes = max(0, missedBytes - surroundings.bytesPerMemberSecond * limit)
      tally { $0.refused["ended in the pause", default: 0] += 1 }
      endRound()
    case .joining, .reading: judge(name)
    }
  }

  override func stuck(since now: UInt64) { stage = .full(since: now) }

  override func turn(now: UInt64) {
    super.turn(now: now)
    let pause = surroundings.hostile.limits.stallSeconds * Self.pauseShare
    guard case .full(let since) = stage, now > since + UInt64(pause * 1_000_000) else { return }
    stage = .reading
    target = witness?.core?.seat?.tick
    expect([], withinSeconds: Self.convergeSeconds)
    links.first?.readOn()
  }

  override func deadlinePassed() { judge("did not converge") }

  override func applied(_ link: HostileLink, _ frame: FrameContent) {
    guard let hash = link.core?.stateHash else { return }
    let comparison = book.compare(frame.tick, hash: hash)
    guard case .reading = stage else { return }
    if comparison == .different { return judge("state differs") }
    if link !== witness, frame.isKeyframe { keyframes += 1 }
    guard comparison == .equal, let target, frame.tick > target else { return }
    equal += 1
    if equal == Self.equalFrames { converge() }
  }

  override func heard(_ link: HostileLink, _ event: RoomEvent, _ payload: Span<UInt8>) {
    guard let number = event.number else { return }
    var hasher = Hasher()
    hasher.combine(event.sender)
    hasher.combine(event.code)
    payload.withUnsafeBytes { hasher.combine(bytes: $0) }
    let digest = hasher.finalize()
    guard let other = events.removeValue(forKey: number) else {
      events[number] = digest
      if number > Self.rememberedEvents { events[number - Self.rememberedEvents] = nil }
      return
    }
    tally { $0.eventsCompared += 1 }
    if other != digest { judge("event differs") }
  }

  private func converge() {
    tally { tally in
      tally.converged += 1
      if keyframes > 0 { tally.keyframes += 1 }
      tally.ends["converged", default: 0] += 1
    }
    endRound()
  }
}

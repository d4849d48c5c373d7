import WireFormat

/// The bounds of a room; each has a default that suits 100 players at 30 Hz.
public struct RoomLimits: Sendable {
  /// Frames kept for laggards and resumes: 2 to 1,024. 64 are about 2 s at 30 Hz.
  public var frameLogFrames = 64
  /// Most bytes of those frames together: 4 KiB to 64 MiB; the newest frame is always kept.
  public var frameLogBytes = ByteCount.kib(512)
  /// Reliable events kept for skips and resumes: 16 to 65,536.
  public var eventLogEvents = 1024
  /// Most bytes of those events together: 4 KiB to 512 KiB; they must fit one message.
  public var eventLogBytes = ByteCount.kib(128)
  /// Most bytes of events raised in one tick: 2 KiB to 512 KiB; a further one is refused and counted.
  public var eventBytesPerTick = ByteCount.kib(16)
  /// Most bytes of one payload of an event, call or reply: 16 B to 1 KiB.
  public var payloadBytes = ByteCount(WireLimits.payloadBytes)
  /// Bytes of one member's messages that wait for the next tick, after which no more is read from it until then: 1 KiB to
  /// 1 MiB.
  public var inboxBytes = ByteCount.kib(32)
  /// Most inputs of one member applied in a tick; of more that came the newest are. One input of more than 16 entries counts
  /// as several.
  public var inputsPerTick: InputsPerTick = .auto
  /// Most bytes of one member's own messages (replies, whispers) that wait for its socket: 4 KiB to 4 MiB; more ends
  /// its connection.
  public var backlogBytes = ByteCount.kib(64)
  /// Messages other than inputs that a member may send a second, on average: 1 to 100,000. What is above that is read
  /// later.
  public var messagesPerSecond = 120
  /// Such messages that a member may send at once: 1 to 100,000.
  public var messageBurst = 240
  /// Players seated in one tick: 1 to 65,536; further ones wait for the next.
  public var admissionsPerTick = 64
  /// A member whose socket took nothing for this long is evicted: 100 ms to 1 min.
  public var stallDeadline = Duration.seconds(5)
  /// A member that is behind, and for this long takes less than a keyframe every 2 s, is evicted: 100 ms to 10 min.
  public var lagDeadline = Duration.seconds(15)
  /// How long a seat waits for its player after the connection is lost: 100 ms to 1 h.
  public var grace = Duration.seconds(20)
  /// How long a room without seats stays: 100 ms to 24 h.
  public var linger = Duration.seconds(10)
  /// An empty frame is sent after this long without one: 100 ms to 1 min.
  public var heartbeat = Duration.seconds(1)

  /// The defaults.
  public init() {}

  /// What is wrong, or nil. Names the setting, its value and what is allowed.
  package var fault: String? {
    func bytes(_ name: String, _ value: ByteCount, _ allowed: ClosedRange<ByteCount>) -> String? {
      allowed.contains(value) ? nil : "\(name) is \(allowed.lowerBound) to \(allowed.upperBound), not \(value)"
    }
    func count(_ name: String, _ value: Int, _ allowed: ClosedRange<Int>) -> String? {
      allowed.contains(value) ? nil : "\(name) is \(allowed.lowerBound) to \(allowed.upperBound), not \(value)"
    }
    func time(_ name: String, _ value: Duration, _ seconds: ClosedRange<Double>) -> String? {
      let inRange = value >= .seconds(seconds.lowerBound) && value <= .seconds(seconds.upperBound)
      return inRange ? nil : "\(name) is \(seconds.lowerBound)s to \(seconds.upperBound)s, not \(value)"
    }
    let faults: [String?] = [
      count("frameLogFrames", frameLogFrames, 2...1024),
      bytes("frameLogBytes", frameLogBytes, .kib(4)...(.mib(64))),
      count("eventLogEvents", eventLogEvents, 16...65536),
      bytes("eventLogBytes", eventLogBytes, .kib(4)...(.kib(512))),
      bytes("eventBytesPerTick", eventBytesPerTick, .kib(2)...(.kib(512))),
      bytes("payloadBytes", payloadBytes, ByteCount(16)...ByteCount(WireLimits.payloadBytes)),
      bytes("inboxBytes", inboxBytes, .kib(1)...(.mib(1))),
      bytes("backlogBytes", backlogBytes, .kib(4)...(.mib(4))),
      inputsPerTick.fault,
      count("messagesPerSecond", messagesPerSecond, 1...100_000),
      count("messageBurst", messageBurst, 1...100_000),
      count("admissionsPerTick", admissionsPerTick, 1...65536),
      time("stallDeadline", stallDeadline, 0.1...60),
      time("lagDeadline", lagDeadline, 0.1...600),
      time("grace", grace, 0.1...3600),
      time("linger", linger, 0.1...86400),
      time("heartbeat", heartbeat, 0.1...60),
    ]
    return faults.compactMap { $0 }.first ?? combinationFault
  }

  /// What two values that are allowed each by itself do to each other, or nil.
  private var combinationFault: String? {
    // Events are kept by the tick, in buffers of powers of two: one that is larger than the log is dropped at once, and
    // with it everybody who needs it.
    let block = BufferPool.capacity(for: eventBytesPerTick.bytes)
    if block > eventLogBytes.bytes {
      return "eventLogBytes is \(eventLogBytes), less than the events of one tick may take (eventBytesPerTick "
        + "\(eventBytesPerTick), kept in \(ByteCount(block))): raise eventLogBytes to at least \(ByteCount(block)), or "
        + "lower eventBytesPerTick"
    }
    return nil
  }
}

/// How many inputs of one member a tick applies.
public enum InputsPerTick: Hashable, Sendable, ExpressibleByIntegerLiteral {
  /// As many as clients with a display of up to 240 Hz send in a tick, and twice that, but at least 8: 16 at 30 Hz.
  case auto
  /// 1 to 1,024.
  case count(Int)

  /// So many.
  public init(integerLiteral count: Int) { self = .count(count) }

  /// The number at so many ticks a second.
  func count(atRate tickRate: Int) -> Int {
    switch self {
    case .auto: max(8, (480 + tickRate - 1) / tickRate)
    case .count(let count): count
    }
  }

  var fault: String? {
    guard case .count(let count) = self, !(1...1024).contains(count) else { return nil }
    return "inputsPerTick is auto or 1 to 1024, not \(count)"
  }
}

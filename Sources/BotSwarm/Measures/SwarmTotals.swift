/// What a run did, summed over bots; each loop counts its own and the sums are added at the end.
package struct SwarmTotals: Sendable {
  package var framesReceived: UInt64 = 0
  package var keyframesReceived: UInt64 = 0
  /// Keyframes that took the place of frames because the bot had read too slowly.
  package var skips: UInt64 = 0
  /// Frames that were due in the steady window and did not come: they count in ``frameLatency`` with their age.
  package var framesOverdue: UInt64 = 0
  package var bytesReceived: UInt64 = 0
  package var bytesSent: UInt64 = 0
  /// Bytes of Frame messages that are no keyframes, with their length prefix.
  package var deltaFrameBytes: UInt64 = 0
  /// Entities changed in those frames: what `deltaFrameBytes` paid for.
  package var entityUpdates: UInt64 = 0
  package var inputsSent: UInt64 = 0
  package var inputsHeldBack: UInt64 = 0
  package var eventsRaised: UInt64 = 0
  package var eventsChecked: UInt64 = 0
  package var whispersChecked: UInt64 = 0
  package var callsMade: UInt64 = 0
  package var callsAnswered: UInt64 = 0
  package var hashesCompared: UInt64 = 0
  /// Frames taken over from another bot's decoding because their bytes and the state before them were equal.
  package var framesShared: UInt64 = 0
  /// Frames of bots whose state could not be compared: too far behind the others, or after a difference.
  package var framesUnchecked: UInt64 = 0
  package var joined = 0
  package var connectFailures: [String: Int] = [:]
  package var joinRefusals: [String: Int] = [:]
  /// Connections that ended before the bot wanted, by reason.
  package var disconnects: [String: Int] = [:]
  /// Connections that were lost and whose bots went to get their seats back, by reason.
  package var lostConnections: [String: Int] = [:]
  /// Attempts to connect again.
  package var reconnects = 0
  /// Bots that got their seats back.
  package var resumes = 0
  /// Bots whose seats were gone; each is among the ``disconnects``.
  package var sessionsLost = 0
  /// From a loss to the seat.
  package var longestAwayMicroseconds: UInt64 = 0
  /// Bots that left in order: Leave, Left, closed.
  package var leftInOrder = 0
  package var socketsLeftOpen = 0
  package var faults = FaultCounts()
  package var frameLatency = Distribution()
  package var acknowledgement = Distribution()
  package var intervalJitter = Distribution()
  package var joinTime = Distribution()
  package var inputLateness = Distribution()
  /// Frames a second of each bot over its steady window.
  package var ratesPerSecond: [Double] = []
  /// The longest time without a frame of each bot, in its steady window.
  package var gapsMicroseconds: [UInt64] = []

  /// What frames took, part by part; nil when it was not measured.
  package var frameBytes: FrameBytes?

  /// The first faults in words.
  package var notes: [String] = []

  /// A broken server breaks every frame: the first few tell what is wrong.
  package static let mostNotes = 10

  package init() {}

  package var lostConnectionCount: Int { lostConnections.values.reduce(0, +) }
  package var disconnectCount: Int { disconnects.values.reduce(0, +) }

  /// Nil when no entity moved.
  package var bytesPerEntityUpdate: Double? {
    entityUpdates > 0 ? Double(deltaFrameBytes) / Double(entityUpdates) : nil
  }

  /// Nil when there were only keyframes.
  package var bytesPerFrame: Double? {
    let frames = framesReceived - keyframesReceived
    return frames > 0 ? Double(deltaFrameBytes) / Double(frames) : nil
  }

  package mutating func add(_ other: SwarmTotals) {
    framesReceived += other.framesReceived
    keyframesReceived += other.keyframesReceived
    skips += other.skips
    framesOverdue += other.framesOverdue
    lostConnections.merge(other.lostConnections, uniquingKeysWith: +)
    reconnects += other.reconnects
    resumes += other.resumes
    sessionsLost += other.sessionsLost
    longestAwayMicroseconds = max(longestAwayMicroseconds, other.longestAwayMicroseconds)
    gapsMicroseconds += other.gapsMicroseconds
    bytesReceived += other.bytesReceived
    bytesSent += other.bytesSent
    deltaFrameBytes += other.deltaFrameBytes
    entityUpdates += other.entityUpdates
    inputsSent += other.inputsSent
    inputsHeldBack += other.inputsHeldBack
    eventsRaised += other.eventsRaised
    eventsChecked += other.eventsChecked
    whispersChecked += other.whispersChecked
    callsMade += other.callsMade
    callsAnswered += other.callsAnswered
    hashesCompared += other.hashesCompared
    framesShared += other.framesShared
    framesUnchecked += other.framesUnchecked
    for note in other.notes where notes.count < Self.mostNotes { notes.append(note) }
    joined += other.joined
    connectFailures.merge(other.connectFailures, uniquingKeysWith: +)
    joinRefusals.merge(other.joinRefusals, uniquingKeysWith: +)
    disconnects.merge(other.disconnects, uniquingKeysWith: +)
    leftInOrder += other.leftInOrder
    socketsLeftOpen += other.socketsLeftOpen
    faults = faults + other.faults
    frameLatency.add(other.frameLatency)
    acknowledgement.add(other.acknowledgement)
    intervalJitter.add(other.intervalJitter)
    joinTime.add(other.joinTime)
    inputLateness.add(other.inputLateness)
    ratesPerSecond += other.ratesPerSecond
    if let bytes = other.frameBytes { add(bytes) }
  }

  mutating func add(_ bytes: FrameBytes) {
    if frameBytes == nil { frameBytes = FrameBytes(bytes.schema) }
    frameBytes?.add(bytes)
  }
}

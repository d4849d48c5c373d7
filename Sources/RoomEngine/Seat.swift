package import WireFormat

/// A session's place in a room. It outlives its connection for the grace period.
package final class Seat {
  package let player: PlayerID
  package let generation: UInt32
  /// The session whose seat it is; the shell's number.
  package let session: UInt64
  /// The connection it is served through, or nil while the player is away.
  @exclusivity(unchecked) package internal(set) var delivery: Delivery?
  /// Since when the player is away, and whether it may come back: one that was told not to is given up in the next
  /// tick.
  var absence: (since: Instant, mayReturn: Bool)?
  /// Place among the room's absent seats, or -1.
  var awaySlot = -1
  @exclusivity(unchecked) var isFreed = false
  /// The connection that was lost while messages of it may still wait in the inbox: they count, up to there.
  var parting: Delivery?

  @exclusivity(unchecked) var inputs = InputTurn()
  @exclusivity(unchecked) var bucket: TokenBucket
  /// Calls taken up and not answered yet.
  var openCalls: [UInt32] = []
  static let mostOpenCalls = 16

  /// As much of it as a message of its player needs: what is declared up to here.
  static let lookedAtBytes = 192

  /// Number of the last reliable whisper.
  var lastWhisper: UInt64 = 0
  /// The last reliable whispers as whole messages, for a resume.
  var whispers = Ring<(number: UInt64, message: PooledBuffer)>()
  var whisperBytes = 0
  /// Reliable whispers since the last connection was lost, and what they hold.
  private var whispersSinceLoss = 0
  private var whisperBytesSinceLoss = 0
  /// Whispers that a resume can still ask for.
  static let mostWhispers = 64

  /// Whom the seat is charged to: the address of the connection that serves it, or served it last.
  package internal(set) var address: AddressKey
  /// When it was given.
  let since: Instant
  /// How often its resumes may be answered with all that they ask for.
  var resumePace: TokenBucket

  /// Two or three lost connections in a row are answered at once. After that one a second: each may ask for a keyframe.
  private static let (resumesPerSecond, resumesAtOnce) = (1, 4)
  /// Every absent seat is kept for so long, if the grace period is not shorter.
  private static let leastGraceNanoseconds: UInt64 = 2_000_000_000

  init(
    player: PlayerID, generation: UInt32, session: UInt64, bucket: TokenBucket, address: AddressKey, since: Instant
  ) {
    self.player = player
    self.generation = generation
    self.session = session
    self.bucket = bucket
    self.address = address
    self.since = since
    resumePace = TokenBucket(perSecond: Self.resumesPerSecond, burst: Self.resumesAtOnce, now: since)
  }

  /// How long its player had held it when its connection was lost.
  var heldNanoseconds: UInt64 { (absence?.since ?? since).nanoseconds(since: since) }

  /// Whether nobody waits for its player any more. It is kept for as long as the player had held it, within bounds: who has
  /// only just come loses little, and would else keep others out at no cost.
  func isOverdue(grace: UInt64, now: Instant) -> Bool {
    guard let absence else { return false }
    let kept = min(grace, max(Self.leastGraceNanoseconds, heldNanoseconds))
    return !absence.mayReturn || now.nanoseconds(since: absence.since) > kept
  }

  /// What the lost connection said and was not applied yet counts no more.
  func part() {
    parting?.seat = nil
    parting = nil
  }

  /// Whether every reliable whisper after `number` is still here.
  func hasWhispers(after number: UInt64) -> Bool {
    guard number <= lastWhisper else { return false }
    return number == lastWhisper || (whispers.first.map { $0.number <= number + 1 } ?? false)
  }

  /// From here on a resume has to replay what is whispered.
  func connectionLost() { (whispersSinceLoss, whisperBytesSinceLoss) = (0, 0) }

  /// Whether another player's whisper, which takes `capacity` bytes here, leaves a resume half of what can be replayed.
  func hasRoom(forWhisperOf capacity: Int, mostBytes: Int) -> Bool {
    whispersSinceLoss < Self.mostWhispers / 2 && whisperBytesSinceLoss + capacity <= mostBytes / 2
  }

  func keep(_ message: PooledBuffer, number: UInt64, mostBytes: Int, pool: BufferPool) {
    whispers.append((number, message))
    whisperBytes += message.capacity
    whispersSinceLoss += 1
    whisperBytesSinceLoss += message.capacity
    dropWhispers(over: mostBytes, pool: pool)
  }

  /// - Returns: bytes given back.
  func halveWhispers(pool: BufferPool) -> Int {
    let before = whisperBytes
    dropWhispers(over: before / 2, pool: pool)
    return before - whisperBytes
  }

  private func dropWhispers(over mostBytes: Int, pool: BufferPool) {
    while whispers.count > Self.mostWhispers || whisperBytes > mostBytes, let oldest = whispers.popFirst() {
      whisperBytes -= oldest.message.capacity
      pool.release(oldest.message)
    }
  }

  func releaseWhispers(pool: BufferPool) {
    while let oldest = whispers.popFirst() { pool.release(oldest.message) }
    whisperBytes = 0
  }
}

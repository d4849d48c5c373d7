import WireFormat

/// How many seats may be given now, as far as memory is concerned.
package enum SeatAllowance: Equatable, Sendable {
  case unlimited
  /// So many; further ones wait for the next tick.
  case upTo(Int)
  /// None for the time being: who asks is told to come back.
  case refused

  /// One was given.
  mutating func take() {
    if case .upTo(let most) = self { self = .upTo(max(0, most - 1)) }
  }
}

/// What the rooms of one loop share: buffers, encoder, plan, the place of its connections' standings. Confined to the loop.
package final class EngineContext {
  package let pool: BufferPool
  package let plan = WritePlan()
  package let standings = StandingStore()
  @exclusivity(unchecked) package var input: InputAccount
  /// The loop stood still just now: nobody is judged before what waits to be read is read. See ``AttendedClock``.
  @exclusivity(unchecked) package var isCatchingUp = false
  /// Seats that the room whose tick comes may give; the shell says so before a tick in which somebody waits for one.
  @exclusivity(unchecked) package var seats = SeatAllowance.unlimited
  /// Whether so many bytes may be leased for members, beyond what is held for them already.
  package var mayLease: (Int) -> Bool = { _ in true }
  @exclusivity(unchecked) var encoder = FrameEncoder(entities: 0)
  private var encoderEntities = 0

  package init(pool: BufferPool = BufferPool(), input: InputAccount = InputAccount()) {
    self.pool = pool
    self.input = input
  }

  /// Makes the encoder's scratch large enough for a schema, so that no tick has to.
  func prepare(for schema: Schema) {
    let most = schema.kinds.reduce(0) { max($0, $1.capacity) }
    guard most > encoderEntities else { return }
    encoderEntities = most
    encoder = FrameEncoder(entities: most)
  }

  /// Lets go of what the last plan held; at the end of a tick.
  package func settle() {
    plan.reset()
  }
}

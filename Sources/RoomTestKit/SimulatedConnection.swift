package import RoomEngine
public import WireFormat

/// A client's stream to a ``SimulatedRoom``: a byte pipe whose reading end is as slow, stuck or short-lived as a test
/// wants.
///
/// ```swift
/// client.connection?.stall()             // reads nothing any more
/// client.connection?.grant(100)          // reads 100 bytes more
/// client.connection?.flow()              // reads everything again
/// client.connection?.cut(afterBytes: 7)  // dies when it has brought 7 bytes more
/// client.connection?.failWrites()        // the server's next write is an error
/// ```
public final class SimulatedConnection {
  /// Where the server's side of the conversation stands.
  enum State {
    case handshake
    case lobby(session: UInt64)
    case seating(session: UInt64)
    case seated(session: UInt64)
    case ended
  }

  /// Its number among the room's connections, from 0.
  public let number: Int
  package let delivery: Delivery
  unowned let client: SimulatedClient
  var state = State.handshake
  var lifecycle = ConnectionLifecycle()
  var assembler = MessageAssembler(limit: WireLimits.clientHandshakeMessageBytes)
  /// The room takes no more of it for now: the rest of what was sent waits here, as it would in a socket.
  var isHeldBack = false
  var unread: [UInt8] = []

  /// Why the server ended it; nil while it has not.
  public internal(set) var end: (reason: CloseReason, text: String)?
  /// Bytes that reached the client.
  public private(set) var bytesArrived = 0
  /// Writes that the server offered while none was in flight.
  public private(set) var writes = 0
  /// Bytes that the pipe takes before it blocks; nil is no bound.
  public private(set) var window: Int?
  /// Most bytes that one write takes before the rest has to wait; nil is no bound.
  public var mostBytesPerWrite: Int?
  /// Bytes added to the window every tick; 0 is none.
  public var trickleBytes = 0
  /// Bytes that the client's program reads in a tick of those that its end of the pipe has taken; nil is no bound. The
  /// server sees nothing of it but answers that come late.
  public var readsBytesPerTick: Int? {
    didSet { readable = 0 }
  }
  private var readable = 0
  /// Asked at every write for the most bytes that it takes; nil is no bound.
  package var takesBytes: (() -> Int)?
  /// Bytes that left the server.
  package private(set) var bytesTaken = 0
  /// FNV-1a of all that reached the client.
  package private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325
  /// How often nothing was left to write any more.
  package private(set) var timesCaughtUp = 0
  /// A write of the server has failed.
  package private(set) var hasFailedWrite = false
  /// Whether the server's end still has its descriptor.
  package private(set) var isStreamOpen = true

  /// When something was last received from the client, and when it was last asked for a sign of life.
  package internal(set) var heardAt: Instant
  var pingedAt: Instant
  /// When it last was without a room.
  package internal(set) var roomlessSince: Instant

  /// Arrived and not handed to the client yet.
  private(set) var arrived: [UInt8] = []
  /// The rest of a write that blocked: memory that the server has pinned, read as late as a kernel would.
  private var flight: [UnsafeRawBufferPointer] = []
  private var cutAt: Int?
  private var failsAt: Int?
  /// The stream is dead: neither side gets anything more, and the server has yet to notice.
  private(set) var isCut = false
  /// What the client sends waits for the next tick, which applies it at once.
  package var isReadAtTicks = false
  /// The client has closed its end in order: what it sent before still arrives.
  var isClosedByClient = false
  /// The client does not end its side of the stream after the server's goodbye.
  package var keepsItsEnd = false
  /// The server's end says nothing more.
  private(set) var isFinished = false
  /// The client has been told of the end.
  var isOver = false

  init(number: Int, client: SimulatedClient, now: Instant, context: EngineContext) {
    self.number = number
    self.client = client
    delivery = Delivery(tag: number, now: now, standings: context.standings, address: client.address)
    (heardAt, pingedAt, roomlessSince) = (now, now, now)
  }

  // MARK: What a test makes of it

  /// From now on nothing is read at the client's end.
  public func stall() { window = 0 }

  /// So many bytes more are read.
  public func grant(_ bytes: Int) {
    if let window { self.window = window + bytes }
  }

  /// Everything is read again.
  public func flow() { window = nil }

  /// The stream dies once `bytes` more have reached the client; 0 at once.
  public func cut(afterBytes bytes: Int = 0) {
    cutAt = bytesArrived + bytes
    if bytes == 0 { isCut = true }
  }

  /// The server's writes fail once `bytes` more have left it; 0 from the next one on.
  public func failWrites(afterBytes bytes: Int = 0) { failsAt = bytesTaken + bytes }

  /// Whether the pipe takes everything at once, as far as is known.
  package var isUnobstructed: Bool {
    window == nil && mostBytesPerWrite == nil && takesBytes == nil && cutAt == nil && failsAt == nil && !isCut
      && !isClosedByClient
  }

  /// Whether a write of the server waits for the pipe.
  public var isBlocked: Bool { !flight.isEmpty }

  /// Bytes of the write in flight that the pipe has not taken.
  package var flightBytes: Int { flight.reduce(0) { $0 + $1.count } }

  package var hasEnded: Bool { !lifecycle.isOpen }

  /// Whether it has yet to join a room.
  package var isRoomless: Bool {
    switch state {
    case .handshake, .lobby: true
    case .seating, .seated, .ended: false
    }
  }

  /// Whether it may be pinged.
  var isConversing: Bool {
    switch state {
    case .lobby, .seating, .seated: true
    case .handshake, .ended: false
    }
  }

  /// The client is gone without a word: nothing comes from it any more, and nobody tells the server.
  package func vanish() {
    isOver = true
    client.connectionEnded(self)
  }

  /// Whether the server keeps anything for it but a stream that says nothing more: memory, a place in the room.
  package var isHeld: Bool {
    (isStreamOpen && !isFinished) || delivery.state != .closed || delivery.heldBytes > 0
      || delivery.seat?.delivery === delivery
  }

  // MARK: The server's end

  /// What became of a write.
  enum WriteResult: Equatable {
    case took(Int)
    case failed
  }

  /// Takes what fits now.
  func tryWrite(_ slices: UnsafeBufferPointer<UnsafeRawBufferPointer>) -> WriteResult {
    precondition(flight.isEmpty, "a second write while one is in flight")
    guard !hasWriteError else { return .failed }
    writes += 1
    let most = takesBytes?() ?? .max
    var left = min(window ?? .max, mostBytesPerWrite ?? .max, most, failsAt.map { $0 - bytesTaken } ?? .max)
    var taken = 0
    for slice in slices {
      let count = min(left, slice.count)
      take(UnsafeRawBufferPointer(rebasing: slice[..<count]))
      left -= count
      taken += count
      if count < slice.count { return .took(taken) }
    }
    timesCaughtUp += 1
    return .took(taken)
  }

  /// Takes over the rest of a write; its memory stays pinned until the last byte has left.
  func startFlight(_ slices: UnsafeBufferPointer<UnsafeRawBufferPointer>) {
    precondition(flight.isEmpty, "a second write while one is in flight")
    flight = Array(slices)
  }

  /// A write in flight has completed, and what followed has gone out.
  func noteCompletion() { if flight.isEmpty { timesCaughtUp += 1 } }

  /// How the write in flight stands.
  enum FlightResult {
    case waits, completed, failed
  }

  /// Moves the write in flight as far as the window lets it; nil when there is none.
  func moveFlight() -> FlightResult? {
    guard !flight.isEmpty else { return nil }
    while let first = flight.first {
      guard !hasWriteError else { return .failed }
      let count = min(first.count, window ?? .max, failsAt.map { $0 - bytesTaken } ?? .max)
      take(UnsafeRawBufferPointer(rebasing: first[..<count]))
      guard count == first.count else {
        flight[0] = UnsafeRawBufferPointer(rebasing: first[count...])
        if hasWriteError { return .failed }
        return .waits
      }
      flight.removeFirst()
    }
    return .completed
  }

  private var hasWriteError: Bool {
    if !isStreamOpen || isFinished {
      client.room.faults.append("a write on connection \(number), whose stream is closed")
    }
    if let failsAt, bytesTaken >= failsAt { hasFailedWrite = true }
    return hasFailedWrite || !isStreamOpen || isFinished
  }

  /// The server has said its last.
  func finishStream() {
    if !flight.isEmpty { client.room.faults.append("connection \(number) is ended in the middle of a write") }
    isFinished = true
  }

  /// The server closes the stream: what was not taken is lost.
  func closeStream() {
    flight = []
    isStreamOpen = false
  }

  private func take(_ bytes: UnsafeRawBufferPointer) {
    if let window { self.window = window - bytes.count }
    bytesTaken += bytes.count
    let alive = min(bytes.count, cutAt.map { max(0, $0 - bytesArrived) } ?? .max)
    arrived.append(contentsOf: bytes[..<alive])
    for byte in bytes[..<alive] { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01b3 }
    bytesArrived += alive
    if let cutAt, bytesArrived >= cutAt { isCut = true }
  }

  // MARK: The client's end

  func takeArrived() -> [UInt8] {
    guard readsBytesPerTick != nil, !hasEnded else {
      defer { arrived = [] }
      return arrived
    }
    let taken = Array(arrived.prefix(readable))
    arrived.removeFirst(taken.count)
    readable -= taken.count
    return taken
  }

  /// A tick is over: the client's program reads on.
  func readOn() {
    if let readsBytesPerTick { readable = readsBytesPerTick }
  }
}

import ClientCore
import EventLoop
import Glibc
import Synchronization

/// The core, and who waits for what it tells. Shared between the loop's thread, which feeds it, and the tasks that read
/// and send: a lock guards it, held for the length of one decoded chunk at most and never over a system call.
// @unchecked Sendable: every member but the lock is touched within `locked` only.
final class ClientState: @unchecked Sendable {
  private let lock = Locked(())
  /// The thread that is in ``read(_:)``; 0 when none is.
  private let reader = Atomic<UInt>(0)
  let core: ClientCore
  let noticeLimit: Int
  let interpolation = Interpolation()
  private(set) var wasWelcomed = false
  /// Counts the rooms joined, so that a ``Room`` can tell whether it is still the present one.
  private(set) var roomNumber = 0
  private var queue: NoticeQueue?
  private var roomEnd: RoomEnd?
  private var welcomeWaiter: CheckedContinuation<Void, any Error>?
  private var join: PendingJoin?
  private var leaveWaiters: [WaiterID: CheckedContinuation<Void, Never>] = [:]
  private var calls: [UInt32: CheckedContinuation<[UInt8], any Error>] = [:]

  /// A class, because the buffer changes while the core is only looked at.
  final class Interpolation {
    var buffer = InterpolationBuffer()
  }

  init(_ configuration: ClientConfiguration, noticeLimit: Int) {
    core = ClientCore(configuration)
    self.noticeLimit = noticeLimit
  }

  /// Runs `body` with the state to itself. `body` must not call `locked` again, nor wait.
  func locked<Value>(_ body: (ClientState) throws -> Value) rethrows -> Value {
    precondition(
      reader.load(ordering: .relaxed) != Self.thread,
      "within room.read the room and its client must not be called: use the state that it hands out")
    return try lock.withLock { _ in try body(self) }
  }

  /// The same for a body of the game, which is told when it calls back instead of waiting for itself.
  func read<Value, Failure: Error>(_ body: (ClientState) throws(Failure) -> Value) throws(Failure) -> Value {
    let result: Result<Value, Failure> = locked { state in
      reader.store(Self.thread, ordering: .relaxed)
      defer { reader.store(0, ordering: .relaxed) }
      do throws(Failure) {
        return .success(try body(state))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private static var thread: UInt { UInt(pthread_self()) }

  // MARK: Waiting (all within `locked`)

  func awaitWelcome(_ waiter: CheckedContinuation<Void, any Error>) {
    // Cancelled before there was anything to cancel.
    guard !Task.isCancelled else { return waiter.resume(throwing: CancellationError()) }
    welcomeWaiter = waiter
  }

  func awaitJoin(_ id: WaiterID, _ wish: JoinWish, _ waiter: CheckedContinuation<JoinedRoom, any Error>) {
    guard !Task.isCancelled else { return waiter.resume(throwing: CancellationError()) }
    if case .ended = core.phase { return waiter.resume(throwing: ClientError.ended(roomEnd ?? .closed)) }
    guard join == nil, queue == nil else {
      return waiter.resume(throwing: ClientError.notAllowed("already in a room, or joining one: leave it first"))
    }
    join = PendingJoin(id: id, wish: wish, waiter: waiter)
    sendWish()
  }

  /// Asks for the seat that is waited for. A seat that was given up, or a join that was cancelled, must be over first.
  private func sendWish() {
    guard core.phase == .welcomed, let wish = join?.wish else { return }
    do {
      try core.join(wish.room, kind: wish.kind, options: wish.options, strict: wish.strict)
      join?.wish = nil
    } catch {
      failJoin(ClientError.notAllowed("\(error)"))
    }
  }

  private func failJoin(_ error: any Error) {
    join?.waiter.resume(throwing: error)
    join = nil
  }

  /// The caller waits no more. A seat that was asked for is given up as soon as it comes.
  func cancelJoin(_ id: WaiterID) {
    guard join?.id == id else { return }
    failJoin(CancellationError())
    // Seated, and only the first state was missing.
    if queue != nil {
      endRoom(.left)
      giveUpSeat()
    }
  }

  private func giveUpSeat() {
    do {
      try core.leave()
    } catch {
      // Not connected: the server will find out when the grace period is over, or the connection is back.
      core.abandonSeat()
    }
  }

  func awaitLeave(_ id: WaiterID, _ number: Int, _ waiter: CheckedContinuation<Void, Never>) {
    guard number == roomNumber, queue != nil else { return waiter.resume() }
    if core.phase != .leaving {
      do {
        try core.leave()
      } catch {
        core.abandonSeat()
        endRoom(.left)
        return waiter.resume()
      }
    }
    leaveWaiters[id] = waiter
    if Task.isCancelled { cancelLeave(id) }
  }

  /// Leave is said, whoever waits for the answer: the room is over, and the next join waits in its place.
  func cancelLeave(_ id: WaiterID) {
    guard leaveWaiters[id] != nil else { return }
    endRoom(.left)
  }

  func awaitReply(_ id: UInt32, _ waiter: CheckedContinuation<[UInt8], any Error>) {
    // Cancelled before there was anything to cancel.
    guard !Task.isCancelled else { return waiter.resume(throwing: CancellationError()) }
    calls[id] = waiter
  }

  func forgetCall(_ id: UInt32, _ error: any Error) { calls.removeValue(forKey: id)?.resume(throwing: error) }

  /// Fails unless the room of that number is the present one.
  func check(_ number: Int) throws(ClientError) {
    guard number == roomNumber, queue != nil else { throw .ended(roomEnd ?? .left) }
  }

  // MARK: Ends

  /// The client wants no more.
  func close() {
    try? core.leave()
    core.close()
    endRoom(.closed)
    failJoin(ClientError.ended(.closed))
    failWelcome(ClientError.ended(.closed))
  }

  func failWelcome(_ error: any Error) {
    welcomeWaiter?.resume(throwing: error)
    welcomeWaiter = nil
  }

  private func endRoom(_ end: RoomEnd) {
    guard let queue else { return }
    roomEnd = end
    queue.finish(end)
    self.queue = nil
    for waiter in leaveWaiters.values { waiter.resume() }
    leaveWaiters.removeAll()
    for id in Array(calls.keys) { forgetCall(id, ClientError.ended(end)) }
    // Over before its first state was there.
    if join?.wish == nil { failJoin(ClientError.ended(end)) }
  }

  /// The stream is gone; `failure` says why if it could not be made.
  func connectionEnded(jitter: Double, failure: String?) -> Outlook {
    let goodbye = core.phase.goodbye
    let isLeaving = core.phase == .leaving || !leaveWaiters.isEmpty
    let outlook = core.connectionEnded(jitter: jitter, self)
    guard wasWelcomed else {
      core.close()
      failWelcome(
        goodbye.map { ClientError.goodbye($0) } ?? outlook.fault
          ?? .unreachable(failure ?? "the connection was lost"))
      return .over(.closed)
    }
    switch outlook {
    case .resume(let delay): tell(.disconnected(retryIn: .milliseconds(Int64(clamping: delay))))
    case .fresh:
      // Whoever was leaving has left.
      // One that was not asked for yet is asked for on the next connection.
      if join?.wish == nil { failJoin(goodbye.map { .goodbye($0) } ?? ClientError.connectionLost) }
      endRoom(isLeaving ? .left : goodbye.map { .goodbye($0) } ?? .unreachable(attempts: 1))
    case .over(let end):
      endRoom(RoomEnd(end))
      failJoin(ClientError.ended(RoomEnd(end)))
    }
    return outlook
  }

  private func tell(_ notice: RoomNotice, mayBeLost: Bool = false) {
    guard let queue, !queue.push(notice, mayBeLost: mayBeLost) else { return }
    // The reader has given up in effect: the seat is of no more use.
    endRoom(.consumerTooSlow(limit: noticeLimit))
    giveUpSeat()
  }
}

/// Names one waiting call, so that its cancellation ends no other.
struct WaiterID: Hashable, Sendable {
  private static let last = Atomic<UInt64>(0)
  private let number: UInt64

  init() { number = Self.last.add(1, ordering: .relaxed).newValue }
}

/// A caller that waits for a room.
private struct PendingJoin {
  let id: WaiterID
  /// Nil once it is sent.
  var wish: JoinWish?
  let waiter: CheckedContinuation<JoinedRoom, any Error>
}

/// A join to be sent as soon as there is a session, in no room.
struct JoinWish: Sendable {
  var room: String
  var kind: String
  var options: [UInt8]
  var strict: Bool
}

/// What a ``Room`` is made of.
struct JoinedRoom: Sendable {
  let number: Int
  let queue: NoticeQueue
  let schema: Schema
  let player: PlayerID
  let tickRate: UInt32
}

extension ClientState: ClientCoreDelegate {
  func client(_ core: ClientCore, didReceive welcome: Welcome) {
    wasWelcomed = true
    welcomeWaiter?.resume()
    welcomeWaiter = nil
    sendWish()
  }

  func client(_ core: ClientCore, didReceive joined: Joined) {
    if joined.isResumed {
      // Given up while the connection was away.
      if queue == nil { giveUpSeat() } else { tell(.resumed) }
      return
    }
    // The join was cancelled, and another one may wait for this seat to be free.
    guard join != nil, join?.wish == nil else { return giveUpSeat() }
    interpolation.buffer.removeAll()
    roomNumber += 1
    roomEnd = nil
    queue = NoticeQueue(limit: noticeLimit)
  }

  func client(_ core: ClientCore, didReceive refusal: JoinRefused) {
    // That of a join that was cancelled is nobody's.
    if join?.wish == nil { failJoin(ClientError.joinRefused(JoinRefusedReason(refusal))) } else { sendWish() }
  }

  func clientDidLeave(_ core: ClientCore) {
    endRoom(.left)
    sendWish()
  }

  func client(_ core: ClientCore, didApply frame: FrameContent) {
    // The frames of a seat that was given up, until the server knows.
    guard queue != nil else { return }
    interpolation.buffer.record(frame, core.tables)
    for entity in frame.removed { tell(.entityRemoved(entity)) }
    for entity in frame.created {
      let owner = core.tables[Int(entity.kind.rawValue)].owner(of: Int(entity.id))
      tell(.entityCreated(entity, owner: owner))
    }
    for (entity, mask) in zip(frame.changed, frame.masks) where mask != 0 { tell(.entityChanged(entity, mask: mask)) }
  }

  func client(_ core: ClientCore, didReceive event: RoomEvent, payload: Span<UInt8>) {
    let payload = payload.array(0..<payload.count)
    let event = GameEvent(code: event.code, payload: payload, sender: event.sender, isReliable: event.isReliable)
    tell(.event(event), mayBeLost: !event.isReliable)
  }

  func client(_ core: ClientCore, didReceive whisper: Whisper, payload: Span<UInt8>) {
    let payload = payload.array(0..<payload.count)
    let event = GameEvent(
      code: whisper.code, payload: payload, sender: whisper.sender, isReliable: whisper.isReliable)
    tell(.whisper(event), mayBeLost: !whisper.isReliable)
  }

  func client(_ core: ClientCore, playerJoined player: PlayerID, generation: UInt32) { tell(.playerJoined(player)) }

  func client(_ core: ClientCore, playerLeft player: PlayerID) { tell(.playerLeft(player)) }

  func client(_ core: ClientCore, didFinish tick: Tick) {
    tell(.frame(tick))
    guard let waiter = join?.waiter, let queue, let seat = core.seat else { return }
    join = nil
    waiter.resume(
      returning: JoinedRoom(
        number: roomNumber, queue: queue, schema: seat.schema, player: seat.player, tickRate: seat.tickRate))
  }

  func client(_ core: ClientCore, didReceive reply: Reply, payload: Span<UInt8>) {
    guard let waiter = calls.removeValue(forKey: reply.id) else { return }
    let payload = payload.array(0..<payload.count)
    if reply.status == ReplyStatus.ok.rawValue {
      waiter.resume(returning: payload)
    } else {
      waiter.resume(throwing: ClientError.callFailed(ReplyFailure(code: reply.status, payload: payload)))
    }
  }

  func client(_ core: ClientCore, didLoseCall id: UInt32) { forgetCall(id, ClientError.connectionLost) }
}

extension RoomEnd {
  init(_ end: ClientEnd) {
    switch end {
    case .closed: self = .closed
    case .goodbye(let goodbye): self = .goodbye(ServerGoodbye(goodbye))
    case .fault(let fault): self = .protocolFault("\(fault)")
    case .unreachable(let attempts): self = .unreachable(attempts: attempts)
    }
  }
}

extension ClientPhase {
  fileprivate var goodbye: ServerGoodbye? {
    if case .finished(.goodbye(let goodbye)) = self { ServerGoodbye(goodbye) } else { nil }
  }
}

extension Outlook {
  fileprivate var fault: ClientError? {
    if case .over(.fault(let fault)) = self { .protocolFault("\(fault)") } else { nil }
  }
}

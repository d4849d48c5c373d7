import EventLoop
import Logging
import RoomEngine
import WireFormat

/// The rooms of a loop: opening, ticking, what ticks ask for, closing.
extension ServerLoop {
  // MARK: Arrivals

  /// Does what a connection came for; it is on the right loop as far as could be known when it was sent.
  func arrive(_ connection: Connection, _ purpose: MovingConnection.Purpose) {
    switch purpose {
    case .join(let session, let join): seat(connection, session, join)
    case .resume(let point): resume(connection, point)
    }
  }

  private func seat(_ connection: Connection, _ session: Session, _ join: Join) {
    // From here on the room itself keeps its place in the directory.
    defer { shared.rooms.abandon(join.room) }
    let present = hosts[join.room]
    // A room that was to be opened when the lame duck began was not told and has nobody to end it for.
    guard drainUntil == nil, present?.isDismissed != true, present != nil || lameDuck == nil else {
      connection.state = .lobby(session)
      connection.refuse(
        JoinRefused(
          .draining, retryAfterMilliseconds: LameDuck.retryMilliseconds, text: "the server is shutting down"))
      return
    }
    let host: RoomHost
    switch present.map(Opened.host) ?? open(join) {
    case .host(let opened): host = opened
    case .refused(let refused):
      connection.state = .lobby(session)
      return connection.refuse(refused)
    }
    connection.state = .seating(session, host)
    host.room.requestSeat(JoinRequest(delivery: connection.delivery, session: session.id, join: join))
    noteChanges(in: host)
  }

  private func resume(_ connection: Connection, _ point: ResumePoint) {
    guard let place = shared.sessions.find(point.ticket), place.loop == index,
      let host = hosts[place.room], let held = host.seats[place.session]
    else {
      end(connection, .ticketUnknown, "no session has this ticket: join anew")
      return
    }
    guard !host.isDismissed else { return end(connection, .draining, "the server is shutting down") }
    let outcome = host.room.resume(held.seat, with: connection.delivery, from: point, now: now)
    noteChanges(in: host)
    switch outcome {
    case .stale:
      end(connection, .ticketStale, "the seat is given up, or what was missed is no longer kept: join anew")
    case .resumed(let superseded):
      if let superseded, let older = owner(of: superseded) {
        end(older, .superseded, "the session was resumed on another connection")
      }
      let session = Session(id: place.session, ticket: point.ticket)
      connection.welcome(session)
      guard !connection.hasEnded else { return host.room.detach(connection.delivery, keepsSeat: true, now: now) }
      connection.state = .seated(session, host)
      connection.pump()
    }
  }

  private enum Opened {
    case host(RoomHost)
    case refused(JoinRefused)
  }

  private func open(_ join: Join) -> Opened {
    guard let kind = shared.rooms.kind(named: join.roomKind), mayOpenRoom(kind) else {
      return .refused(.shortOfMemory("for another room"))
    }
    guard makeWay(for: join.room) else {
      // Somebody has come back to the one that was to make way.
      return .refused(JoinRefused(.roomLimit, text: "all rooms are open: try again"))
    }
    let place = schedule.add(rate: kind.tickRate, now: clock())
    let room = Room(
      name: join.room, kind: kind, context: context, start: place.start,
      startMicroseconds: shared.microseconds(at: place.start))
    let host = RoomHost(room: room, place: place)
    hosts[join.room] = host
    shared.rooms.opened(join.room)
    while groups.count <= place.group { groups.append([]) }
    groups[place.group].append(host)
    ledger.openRoom()
    logger.debug("room opened", metadata: ["room": "\(join.room)", "kind": "\(kind.name)"])
    armTickTimer()
    return .host(host)
  }

  /// Closes the room that the directory chose to make way for a new one, if there is one and nobody has come to it.
  private func makeWay(for room: String) -> Bool {
    switch shared.rooms.opening(of: room) {
    case .free: return true
    case .refused: return false
    case .insteadOf(let other):
      guard let host = hosts[other] else { return true }
      guard host.room.occupancy != .occupied else { return false }
      ledger.yieldRoom()
      close(host, .roomClosed, "the room made way: nobody was in it, and all rooms were open")
      return true
    }
  }

  /// Tells those who share it when somebody comes to a room where nobody was, or the last one is gone, and whom its seats
  /// are charged to.
  func noteChanges(in host: RoomHost) {
    host.room.takeSeatCharges { shared.admission.charge($0) }
    let occupancy = host.room.occupancy
    guard occupancy != host.occupancy else { return }
    host.occupancy = occupancy
    shared.rooms.note(host.room.name, occupancy)
  }

  func close(_ host: RoomHost, _ reason: CloseReason, _ text: String) {
    host.room.close(reason, text)
    host.room.takeEffects { perform($0, host) }
    host.room.takeSeatCharges { shared.admission.charge($0) }
    // Not searched for in release builds: clients open rooms at will, and each of them would cost a look at every connection.
    assert(!connections.contains { $0?.host === host }, "a connection is left in the room \(host.room.name)")
    assert(host.intakes.isEmpty, "a member of a closed room is read at its ticks")
    hosts[host.room.name] = nil
    groups[host.place.group].removeAll { $0 === host }
    schedule.remove(host.place)
    shared.rooms.close(host.room.name)
    ledger.closeRoom()
    counters.add(host.room.counters)
    logger.debug("room closed", metadata: ["room": "\(host.room.name)", "reason": "\(reason.name)"])
  }

  func closeAbandonedRooms() {
    let lingers = shared.pressure.level == .normal
    for host in hosts.values where host.room.isAbandoned(now: now, lingers: lingers) {
      close(host, .roomClosed, "nobody is in the room")
    }
  }

  func closeAllRooms() {
    for host in hosts.values { close(host, .draining, "the server is shutting down") }
    pool.trim()
  }

  // MARK: Ticks

  func armTickTimer() {
    nextTick = schedule.next
    if let nextTick { tickTimer?.arm(at: MonotonicTime(nanoseconds: nextTick.nanoseconds)) }
  }

  func runDueTicks() {
    // Each group once: a room that takes longer than its tick would otherwise never let the loop read and write.
    let now = clock()
    isTicking = true
    while let due = schedule.takeDue(now: now) {
      var began = clock()
      var position = 0
      // By index: a room may be closed on the way.
      while position < groups[due.group].count {
        let host = groups[due.group][position]
        run(host, UInt32(clamping: due.number - host.place.first), now: attendedClock())
        let ended = clock()
        counters.tick(due: due.due, missed: due.missed, began: began, ended: ended)
        began = ended
        if position < groups[due.group].count, groups[due.group][position] === host { position += 1 }
      }
    }
    keepLaggardBudget()
    armTickTimer()
    isTicking = false
    goOnReading()
  }

  private func run(_ host: RoomHost, _ number: UInt32, now: Instant) {
    let room = host.room
    allowSeats(in: room)
    room.run(Tick(number), now: now) { takeIn(host) }
    room.takeEffects { perform($0, host) }
    deliver(room)
    noteChanges(in: host)
    context.settle()
    if let text = room.ending { close(host, .roomClosed, text) }
  }

  private func deliver(_ room: Room) {
    // Not to change while frames are offered: who is to be ended is left for later.
    let outlets = self.outlets
    room.deliverNewestFrame(now: now) { tag, bytes in
      guard let outlet = outlets[tag] else { return -1 }
      return outlet.offer(bytes)
    } others: { delivery in
      guard let connection = owner(of: delivery) else { return }
      connection.goOn()
      connection.checkProgress(room)
    }
  }

  /// The connection that a delivery belongs to; nil when it is gone, even if another has its slot by now.
  private func owner(of delivery: Delivery) -> Connection? {
    guard let connection = connections[delivery.tag], connection.delivery === delivery else { return nil }
    return connection
  }

  private func perform(_ effect: RoomEffect, _ host: RoomHost) {
    switch effect {
    case .seated(let delivery, let seat):
      guard let connection = owner(of: delivery), let session = connection.session else { return }
      host.seats[session.id] = (session.ticket, seat)
      shared.sessions.seat(session, loop: index, room: host.room.name)
      connection.state = .seated(session, host)
      logJoin(connection)
    case .refused(let delivery, let refused):
      guard let connection = owner(of: delivery), let session = connection.session else { return }
      connection.state = .lobby(session)
      logRefusal(connection, refused, room: host.room.name)
      connection.refuse(refused)
    case .left(let delivery):
      guard let connection = owner(of: delivery), let session = connection.session else { return }
      connection.state = .lobby(session)
      connection.roomlessSince = now
      connection.send(bound: 1) { $0.put(empty: .left) }
    case .evict(let delivery, let reason, let text):
      if let connection = owner(of: delivery) { end(connection, reason, text) }
    case .freed(let session):
      if let held = host.seats.removeValue(forKey: session) { shared.sessions.free(held.ticket) }
    case .fault(let fault): log(fault, of: host)
    }
  }

  /// Of each room one a minute: a game that is wrong is wrong in every tick.
  private func log(_ fault: GameFault, of host: RoomHost) {
    if let last = host.faultLogged, now.nanoseconds(since: last) < ServerLoop.faultLogNanoseconds {
      host.faultsUnlogged += 1
      return
    }
    let schema = host.room.kind.schema
    logger.warning(
      "game fault",
      metadata: [
        "room": "\(host.room.name)", "kind": "\(host.room.kind.name)", "field": "\(fault.place(in: schema))",
        "cause": "\(fault.cause.name)", "call": "\(fault.call.rawValue)", "text": "\(fault.text(in: schema))",
        "unlogged": "\(host.faultsUnlogged)",
      ])
    (host.faultLogged, host.faultsUnlogged) = (now, 0)
  }

  private static let faultLogNanoseconds: UInt64 = 60_000_000_000
}

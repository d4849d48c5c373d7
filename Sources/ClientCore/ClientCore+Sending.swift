package import WireFormat

/// What the client says. Each call writes to the output, or throws and writes nothing.
extension ClientCore {
  /// Asks for a seat. The room's messages may be sent right after; they are lost if the join is refused.
  ///
  /// - Parameter strict: refuse rather than learn a schema other than the configuration's.
  package func join(
    _ room: String, kind: String, options: [UInt8] = [], strict: Bool = false
  ) throws(ClientMisuse) {
    guard phase == .welcomed else { throw .phase(phase.name) }
    try check("the room name", room.utf8.count, atMost: WireLimits.nameBytes.upperBound)
    try check("the room kind", kind.utf8.count, atMost: WireLimits.nameBytes.upperBound)
    try check("options", options.count, atMost: WireLimits.optionsBytes)
    let join = Join(
      room: room, roomKind: kind, schemaHash: configuration.schema?.hash ?? 0, strictSchema: strict, options: options)
    try write(bound: join.bound + messageOverhead) { join.encode(into: &$0) }
    wish = join
    phase = .joining
  }

  /// Gives the seat up; the connection stays and may join again after ``ClientCoreDelegate/clientDidLeave(_:)``.
  package func leave() throws(ClientMisuse) {
    guard phase == .inRoom else { throw .phase(phase.name) }
    try write(bound: messageOverhead) { $0.put(empty: .leave) }
    seat?.isLeaving = true
    phase = .leaving
  }

  /// Raises an event.
  package func raise(
    _ code: UInt16, to target: EventTarget, reliably isReliable: Bool, payload: Span<UInt8>
  ) throws(ClientMisuse) {
    try checkInRoom()
    let codes = Int(WireLimits.firstGameEventCode)...Int(UInt16.max)
    guard codes.contains(Int(code)) else { throw .outOfRange(what: "an event code", value: Int(code), allowed: codes) }
    try check("an event payload", payload.count, atMost: WireLimits.payloadBytes)
    try write(bound: payload.count + 16 + messageOverhead) { out in
      ClientEvent.encode(isReliable: isReliable, target: target, code: code, payload: payload, into: &out)
    }
    if isReliable { raised.count += 1 }
  }

  /// Calls a method of the room.
  ///
  /// - Returns: the id that the reply will have.
  package func call(_ method: UInt16, payload: Span<UInt8>) throws(ClientMisuse) -> UInt32 {
    try checkInRoom()
    guard openCalls.count < Self.unansweredCalls else { throw .tooManyCalls }
    try check("a call payload", payload.count, atMost: WireLimits.payloadBytes)
    let id = nextCall
    try write(bound: payload.count + 16 + messageOverhead) { out in
      Call.encode(id: id, method: method, payload: payload, into: &out)
    }
    nextCall &+= 1
    openCalls.append(id)
    return id
  }

  // MARK: Input

  /// Sets a field of an own entity in the next input; ``flushInput()`` sends it. The mirror changes when the server
  /// says so.
  package func set<Value>(_ key: FieldKey<Value>, of entity: EntityID, to value: Value) throws(ClientMisuse) {
    guard phase == .inRoom, let seat else { throw .phase(phase.name) }
    guard key.schemaHash == seat.schema.hash, key.kind == entity.kind else {
      throw .foreign("the key is not of this room's schema, or not of the kind of \(entity)")
    }
    if let reference = value as? EntityID, !seat.schema.allows(reference) {
      throw .foreign("\(reference) cannot exist in this room's schema")
    }
    guard isOwn(entity, seat) else { throw .notOwned(entity) }
    if scratch == nil { scratch = InputScratch(seat.schema) }
    scratch?.set(key, of: entity, to: value)
  }

  /// Writes what was set since the last time as one Input, or several if it is too much for one message.
  ///
  /// - Returns: the sequence of the last one, or nil if nothing was set.
  @discardableResult
  package func flushInput() throws(ClientMisuse) -> UInt32? {
    guard let scratch, !scratch.entries.isEmpty else { return nil }
    guard phase == .inRoom else { throw .phase(phase.name) }
    defer { scratch.clear() }
    let limit = Int(welcome?.maxClientMessage ?? UInt32(WireLimits.clientMessageBytes))
    let bound = InputWriter.bound(scratch.entries, from: scratch.tables)
    if scratch.entries.count <= WireLimits.inputEntries, bound <= limit {
      try writeInput(scratch.entries, scratch.tables, bound: bound)
      return sentInput
    }
    var batch: [InputScratch.Entry] = []
    for entry in scratch.entries {
      let isFull =
        batch.count == WireLimits.inputEntries
        || InputWriter.bound(batch + [entry], from: scratch.tables) > limit
      if isFull, !batch.isEmpty {
        try writeInput(batch, scratch.tables, bound: InputWriter.bound(batch, from: scratch.tables))
        batch.removeAll()
      }
      batch.append(entry)
    }
    try writeInput(batch, scratch.tables, bound: InputWriter.bound(batch, from: scratch.tables))
    return sentInput
  }

  /// Forgets what was set and not sent.
  package func discardInput() { scratch?.clear() }

  private func writeInput(
    _ entries: [InputScratch.Entry], _ tables: [EntityTable], bound: Int
  ) throws(ClientMisuse) {
    guard sentInput < UInt32.max else { throw .phase("out of input sequence numbers: join anew") }
    let sequence = sentInput + 1
    try write(bound: bound) { InputWriter.encode(sequence: sequence, entries, from: tables, into: &$0) }
    sentInput = sequence
  }

  private func isOwn(_ entity: EntityID, _ seat: RoomSeat) -> Bool {
    // Without a mirror the server is left to judge.
    guard let mirror = seat.mirror else { return seat.schema.allows(entity) }
    let table = mirror.tables[Int(entity.kind.rawValue)]
    return table.contains(Int(entity.id)) && table.owner(of: Int(entity.id)) == seat.player
  }

  // MARK: Checks

  private func checkInRoom() throws(ClientMisuse) {
    guard phase == .inRoom || phase == .joining else { throw .phase(phase.name) }
  }

  private func check(_ what: String, _ bytes: Int, atMost limit: Int) throws(ClientMisuse) {
    guard bytes <= limit else { throw .tooLong(what: what, bytes: bytes, limit: limit) }
  }
}

import RoomEngine
public import WireFormat

/// What must hold at every moment, whatever the clients did.
extension SimulatedRoom {
  /// The hash of the room's state as of its last frame: what every client that has that frame must see.
  public var stateHash: UInt64 {
    var mirror = StateMirror(room.kind.schema)
    var content = FrameContent()
    var assembler = MessageAssembler(limit: WireLimits.serverMessageBytes)
    let bytes = room.withKeyframe { Array($0) }
    _ = try? assembler.feed(bytes.span) { _, body in
      do throws(WireError) {
        try mirror.apply(body, into: &content)
      } catch {
        faults.append("the room's keyframe: \(error)")
      }
      return .proceed
    }
    return mirror.hash
  }

  /// Tick of the room's last frame.
  public var lastFrame: Tick { room.frames.headTick }

  /// Compares every client that has the last frame with the room, and looks whether the engine's books balance; what is
  /// wrong is added to ``faults``.
  package func check(_ clients: [SimulatedClient]) {
    if !room.isClosed, room.frames.head > 0 {
      let hash = stateHash
      for client in clients where client.isInRoom && client.tick == lastFrame && client.stateHash != hash {
        faults.append("\(client.player.map(\.description) ?? "?") sees another state at \(lastFrame)")
      }
    }
    #if DEBUG
    faults += room.imbalances(with: connections.compactMap { $0?.delivery })
    #endif
  }

  /// Closes the room and lets go of every connection; what is still held then is added to ``faults``.
  package func finish() {
    close()
    for connection in connections { connection?.cut() }
    settle()
    if heldBuffers != 0 { faults.append("\(heldBuffers) buffers are held though everybody is gone") }
  }
}

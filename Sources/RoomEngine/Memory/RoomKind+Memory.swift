import WireFormat

/// The most that one room of a kind holds, by what holds it; all in bytes.
struct RoomMemory {
  /// Entity tables, their baselines, bitmaps and id allocators.
  let state: Int
  let seats: Int
  let frameLog: Int
  let eventLog: Int
  let keyframe: Int
  /// Events of the running tick, for the frame and for the event log.
  let tickEvents: Int
  /// Arrays of the inbox that are kept for the next tick.
  let inbox: Int

  var total: Int { state + seats + frameLog + eventLog + keyframe + tickEvents + inbox + MemoryCosts.room }

  init(_ kind: RoomKind) {
    let limits = kind.limits
    // Current state and baseline, which has steps; three bitmaps of what changed; every id may rest, and has a place in its
    // owner's list.
    state = kind.schema.layouts.reduce(0) {
      $0 + $1.capacity
        * (2 * $1.rowBytes + $1.stepBytes + 1 + IDAllocator.bytesOfRestingID + OwnedEntities.bytesAnEntity)
    }
    // Each player id has a place in the table, one among those at rest, and a list of what the player owns.
    seats =
      kind.capacity * MemoryCosts.seat + kind.playerIDs
      * (8 + IDAllocator.bytesOfRestingID + OwnedEntities.bytesAPlayer)
    // The newest frame is kept whatever its size.
    let frame = BufferPool.capacity(for: kind.frameBufferBound)
    frameLog = max(limits.frameLogBytes.bytes, frame) + limits.frameLogFrames * MemoryCosts.bufferHead
    // The smallest buffer has 64 bytes: that bounds their number too.
    let blocks = min(limits.eventLogEvents, limits.eventLogBytes.bytes / BufferPool.capacity(for: 1))
    eventLog = limits.eventLogBytes.bytes + blocks * MemoryCosts.bufferHead
    keyframe = frame
    tickEvents = 2 * BufferPool.capacity(for: limits.eventBytesPerTick.bytes + kind.systemEventBound)
    inbox = 4 * Inbox.keptBytes(players: kind.capacity)
  }
}

extension RoomKind {
  /// Player ids of a room: more than seats, since those of players who left rest.
  var playerIDs: Int { min(WireLimits.players, capacity + max(capacity, Room.leastRestingIDs)) }

  /// The most that one room of this kind holds, in bytes.
  package var memoryBytes: Int { RoomMemory(self).total }

  /// What the game of one room of this kind has declared that it allocates, with all seats taken; in bytes.
  package var gameBytes: Int {
    memory.bytesPerRoom.bytes.addingSaturating(memory.bytesPerPlayer.bytes.multipliedSaturating(by: capacity))
  }

  /// Scratch for one frame, the frame itself, and the events that one member missed: once a loop, while a tick runs.
  var tickScratchBytes: Int {
    2 * BufferPool.capacity(for: frameBufferBound)
      + BufferPool.capacity(for: limits.eventLogBytes.bytes + messageOverhead + 20)
      + Int(schema.kinds.map(\.capacity).max() ?? 0) * FrameEncoder.scratchBytes
  }
}

/// What a server's memory depends on: the configuration, and what the machine gives. Nil sizes are `auto`.
package struct MemoryDemand: Sendable {
  /// The most memory that there may be; nil when nothing limits it.
  package var limit: ByteCount?
  package var connections: Int
  /// Connections above those, open for their goodbye.
  package var refusedConnections: Int
  package var rooms: Int
  package var kinds: [RoomKind]
  package var loops: Int
  /// Bytes of a client's message.
  package var maxClientMessage: Int
  package var sendBuffer: ByteCount?
  package var receiveBuffer: ByteCount?
  package var laggardBudget: ByteCount?
  package var inputBudget: ByteCount?
  /// What the kernel grants of the two buffers, half of what it books for them (`net.core.wmem_max` and `rmem_max`).
  package var mostSendBuffer: ByteCount
  package var mostReceiveBuffer: ByteCount
  /// Connections of the admin port; 0 when it is off.
  package var adminConnections: Int

  /// The built-in defaults for these kinds on a machine with the usual kernel settings.
  package init(kinds: [RoomKind]) {
    self.kinds = kinds
    connections = 1000
    refusedConnections = 32
    rooms = 100
    loops = 1
    maxClientMessage = 16 * 1024
    mostSendBuffer = .kib(208)
    mostReceiveBuffer = .kib(208)
    adminConnections = 32
  }
}

/// The sizes that a plan settles on: what was set, and what `auto` comes to under the limit.
package struct MemorySizes: Hashable, Sendable {
  package var sendBuffer: ByteCount
  package var receiveBuffer: ByteCount
  /// Most bytes of all loops together that members hold for themselves: messages that wait for their sockets, writes in
  /// flight, whispers kept for a resume.
  package var laggardBudget: ByteCount
  /// Most bytes of all loops together that came in and wait for a tick, or for the rest of their message.
  package var inputBudget: ByteCount
  /// Idle buffers that one loop keeps.
  package var idlePerLoop: ByteCount
}

/// One way into the code that takes bytes from others.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// What clients and servers send each other, cut into chunks.
  case messages
  /// Schemas, and frames applied to a mirror.
  case frames
  /// Connections of a whole server, from the first byte on.
  case handshake
  /// A configuration file, environment and flags.
  case configuration
  /// A room with its clients and their network.
  case room

  /// Sends the bytes through the code.
  ///
  /// - Returns: what is wrong with what came of it, or nothing. A trap is a finding too.
  package func faults(_ bytes: [UInt8]) -> [String] {
    do {
      switch self {
      case .messages: return messageFaults(bytes)
      case .frames: return try frameFaults(bytes)
      case .handshake: return try HandshakeProgram(bytes).run()
      case .configuration: return configurationFaults(bytes)
      case .room: return try RoomProgram(bytes).run()
      }
    } catch {
      return ["the target can't run: \(error)"]
    }
  }
}

import EventLoop
import Logging
import RoomEngine

/// What all loops of a server share: the configuration, the directories and the clock's origin.
final class ServerShared: Sendable {
  let configuration: ServerConfiguration
  let rooms: RoomDirectory
  let sessions = SessionDirectory()
  let admission: ConnectionAdmission
  let authenticator: Authenticator
  /// The server clock's zero.
  let origin: Instant
  let logger: Logger
  let loopCount: Int
  private let mailboxes: Locked<[Mailbox<LoopMessage>?]>
  private let endedLoops: Locked<[LoopReport?]>

  init(configuration: ServerConfiguration, loops: Int, authenticator: Authenticator, logger: Logger) {
    self.configuration = configuration
    self.authenticator = authenticator
    loopCount = loops
    mailboxes = Locked(Array(repeating: nil, count: loops))
    endedLoops = Locked(Array(repeating: nil, count: loops))
    self.logger = logger
    rooms = RoomDirectory(kinds: configuration.roomKinds, loops: loops, mostRooms: configuration.maxRooms)
    admission = ConnectionAdmission(configuration)
    origin = Instant(nanoseconds: Loop.clock().nanoseconds)
  }

  /// Microseconds of the server clock.
  func microseconds(at instant: Instant) -> UInt64 { instant.nanoseconds(since: origin) / 1000 }

  /// Makes a loop reachable; all are before any of them accepts.
  func publish(_ mailbox: Mailbox<LoopMessage>, of loop: Int) {
    mailboxes.withLock { $0[loop] = mailbox }
  }

  /// A loop's last word.
  func report(_ report: LoopReport, of loop: Int) {
    endedLoops.withLock { $0[loop] = report }
  }

  /// What the loops that have ended did.
  var reports: [LoopReport] { endedLoops.withLock { $0.compactMap { $0 } } }

  /// Sends a message to a loop; false when that loop has ended.
  func post(_ message: LoopMessage, to loop: Int) -> Bool {
    let mailbox = mailboxes.withLock { $0[loop] }
    return mailbox?.post(message) ?? false
  }
}

/// What one loop tells another.
enum LoopMessage: Sendable {
  /// Accept connections on this port (0: any); the reply is the port bound.
  case listen(UInt16, Handover<Result<UInt16, any Error>>)
  /// A connection moves here.
  case arrival(MovingConnection)
  /// Stop accepting, say goodbye, let connections take their last bytes.
  case drain
  /// End now.
  case stop
}

/// Counts connections before they may do anything: in all, and from one address.
final class ConnectionAdmission: Sendable {
  private struct State {
    var open = 0
    var perAddress: [IPAddress: Int] = [:]
  }

  private let most: Int
  private let mostPerAddress: Int?
  private let state = Locked(State())

  init(_ configuration: ServerConfiguration) {
    most = configuration.maxConnections
    mostPerAddress =
      switch configuration.maxConnectionsPerAddress {
      case .unlimited: nil
      case .atMost(let count): count
      }
  }

  /// Takes a place; nil when it has one, else why not.
  func enter(_ address: IPAddress?) -> String? {
    state.withLock { state in
      guard state.open < most else { return "all \(most) connections are in use" }
      if let address, let mostPerAddress {
        guard state.perAddress[address, default: 0] < mostPerAddress else {
          return "all \(mostPerAddress) connections from this address are in use"
        }
        state.perAddress[address, default: 0] += 1
      }
      state.open += 1
      return nil
    }
  }

  func leave(_ address: IPAddress?) {
    state.withLock { state in
      state.open -= 1
      guard let address, mostPerAddress != nil, let count = state.perAddress[address] else { return }
      state.perAddress[address] = count > 1 ? count - 1 : nil
    }
  }

  var open: Int { state.withLock { $0.open } }
}

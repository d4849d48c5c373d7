public import Logging
public import RoomEngine
import WireFormat

/// Everything that a server can be told: where it listens, its room kinds, its bounds.
///
/// ```swift
/// var configuration = ServerConfiguration(rooms: [arena])
/// configuration.port = 9000
/// try configuration.validate()
/// ```
///
/// Each property is a key of the configuration file; `docs/tickserver.yaml` lists them all with units and bounds.
/// 0 never means "off" or "unlimited": those are cases of their own.
public struct ServerConfiguration: Sendable {
  /// The IPv4 or IPv6 address to listen on. `0.0.0.0` (the default) is every IPv4 address of the machine.
  public var host = "0.0.0.0"
  /// The TCP port to listen on.
  public var port: Port = 7777
  /// Event loops, one thread each.
  public var loops: LoopCount = .auto
  /// How many groups the rooms of a loop fall into, each with its own offset within the tick: 1 to 32.
  public var tickPhases = 32
  /// Whether members who send something in every tick are read once a tick.
  public var readAtTicks: ReadAtTicks = .auto
  /// The kinds of rooms that clients may open; at least one, with different names.
  public var roomKinds: [RoomKind]
  /// Most connections of the whole server: 1 to 1,000,000.
  public var maxConnections = 1000
  /// Most connections from one address.
  public var maxConnectionsPerAddress: ConnectionLimit = .unlimited
  /// Most rooms open at once: 1 to 65,536.
  public var maxRooms = 100
  /// Most rooms open at once that one address has opened.
  public var maxRoomsPerAddress: RoomLimit = .auto
  /// A connection that has not joined after this long is closed: 100 ms to 1 min.
  public var handshakeDeadline = Duration.seconds(5)
  /// A connection that sent nothing for this long is closed: 1 s to 1 h.
  public var idleDeadline = Duration.seconds(30)
  /// The server pings a quiet connection this often: 100 ms to 10 min, less than ``idleDeadline``.
  public var pingInterval = Duration.seconds(10)
  /// The most memory that the plan may come to, and that the server lives in.
  public var memoryLimit: MemoryLimitSetting = .auto
  /// Most bytes that all members together hold for themselves (messages that wait for their sockets, writes in flight,
  /// whispers kept for a resume): 256 KiB to 1 TiB. Over it the worst laggards are evicted.
  public var laggardBudget: AutoSize = .auto
  /// Most bytes of all clients together that wait for a tick, or for the rest of their message: 256 KiB to 1 TiB. Over half
  /// of it, who sends much is disconnected.
  public var inputBudget: AutoSize = .auto
  /// The kernel's send buffer of a connection (SO_SNDBUF): 4 KiB to 4 MiB; `auto` is 8 to 64 KiB. The kernel counts it
  /// twice.
  public var sendBuffer: AutoSize = .auto
  /// The kernel's receive buffer of a connection (SO_RCVBUF): 4 KiB to 4 MiB; `auto` is 8 to 16 KiB. The kernel counts
  /// it twice.
  public var receiveBuffer: AutoSize = .auto
  /// Largest message of a client after its Welcome: 2 KiB to 16 KiB.
  public var maxClientMessage = ByteCount(WireLimits.clientMessageBytes)
  /// Bytes a second that a client may send, on average: 1 KiB to 64 MiB; more ends its connection.
  public var bytesPerSecond = ByteCount.kib(64)
  /// Bytes that a client may send at once: 64 KiB to 64 MiB.
  public var byteBurst = ByteCount.kib(128)
  /// Joins a second that a client may ask for, on average: 1 to 100,000; more ends its connection.
  public var joinsPerSecond = 5
  /// Joins that a client may ask for at once: 1 to 100,000.
  public var joinBurst = 20
  /// How long rooms may go on after the server was asked to stop.
  public var lameDuck: LameDuckTime = .off
  /// How long a stopping server lets connections take their last bytes: 100 ms to 10 min.
  public var drain = Duration.seconds(5)
  /// Who may connect.
  public var authentication: Authentication = .off
  /// The admin port: health, metrics and the ledger over HTTP.
  public var admin = AdminConfiguration()
  /// The least severe level that is logged.
  public var logLevel: Logger.Level = .info
  /// How log records are written to standard error.
  public var logFormat: LogFormat = .text

  /// The defaults, with these room kinds.
  public init(rooms: [RoomKind]) {
    roomKinds = rooms
  }

  /// The defaults, with one relay room kind `arena` for 100 players.
  public init() {
    self.init(rooms: [])
    roomKinds = [.arena]
  }

  /// Checks every setting against its bounds.
  ///
  /// - Throws: ``ConfigurationError`` with all that is wrong.
  public func validate() throws(ConfigurationError) {
    _ = try ConfigurationLayers(base: ConfigurationDraft(program: self)).finish()
  }
}

/// A TCP port.
public enum Port: Hashable, Sendable, ExpressibleByIntegerLiteral {
  /// 1 to 65,535.
  case number(Int)
  /// One that the system chooses; the log tells which.
  case any

  /// A port with this number.
  public init(integerLiteral number: Int) { self = .number(number) }
}

/// Where the server can be watched: `/livez`, `/readyz`, `/metrics` and `/ledger`, plain HTTP without authentication.
public struct AdminConfiguration: Hashable, Sendable {
  /// The IPv4 or IPv6 address to listen on. `127.0.0.1` (the default) is reachable from this machine alone.
  public var host = "127.0.0.1"
  /// The TCP port to listen on.
  public var port: AdminPort = 7778

  /// The defaults.
  public init() {}
}

/// The TCP port of the admin endpoints.
public enum AdminPort: Hashable, Sendable, ExpressibleByIntegerLiteral {
  /// None: the server can't be watched.
  case off
  /// One that the system chooses; the log tells which.
  case any
  /// 1 to 65,535.
  case number(Int)

  /// A port with this number.
  public init(integerLiteral number: Int) { self = .number(number) }
}

/// How many event loops a server runs.
public enum LoopCount: Hashable, Sendable {
  /// One for each core that the process may use.
  case auto
  /// 1 to 256.
  case count(Int)
}

/// When the server reads what members send.
public enum ReadAtTicks: String, Hashable, Sendable, CaseIterable {
  /// Of those who send something in every tick, once a tick and right before it, in rooms of 20 Hz and faster; of all others
  /// as it comes. It saves a fifth of the CPU of a member who sends an input a tick; what it sent has its effect in the same tick
  /// either way. Only a Ping of such a member waits for the tick, unless it follows another's Pong.
  case auto
  /// Of everyone as it comes.
  case off
}

/// A bound on connections that may be absent.
public enum ConnectionLimit: Hashable, Sendable {
  /// Only the server's own bound holds.
  case unlimited
  /// 1 to 1,000,000.
  case atMost(Int)
}

/// How long rooms may go on after a signal asked the server to stop.
public enum LameDuckTime: Hashable, Sendable {
  /// Not at all: everyone is told goodbye at once.
  case off
  /// Until they are done, and so long at most: 100 ms to 24 h. No further rooms are opened meanwhile.
  case atMost(Duration)
}

/// How many rooms one address may have open; a room is charged to the address that opened it, until it closes. Of IPv6 an
/// address is its /64.
public enum RoomLimit: Hashable, Sendable {
  /// Three quarters of ``ServerConfiguration/maxRooms``. Of the last quarter an address gets a room only while four times
  /// the rooms that it holds are fewer than those that are free: others can always open one.
  case auto
  /// Only the server's own bound holds.
  case unlimited
  /// 1 to 65,536.
  case atMost(Int)
}

/// Who may connect.
public enum Authentication: Hashable, Sendable {
  /// Everyone.
  case off
  /// Who sends one of these tokens, 1 to 2,048 bytes each.
  case tokens([String])
  /// Who sends one of the tokens of this file, one a line.
  case tokensFile(String)
}

/// How log records are written.
public enum LogFormat: String, Hashable, Sendable, CaseIterable {
  /// One line of text a record, for people.
  case text
  /// One JSON object a line, for machines.
  case json
}

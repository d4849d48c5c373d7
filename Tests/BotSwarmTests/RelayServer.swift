import Logging
import RoomEngine
import TickServer
import WireFormat

/// What that server's rooms synchronise.
func relaySchema() throws -> Schema {
  try Schema([
    EntityKind("avatar", capacity: 128, fields: [Field("position", .vector(2, range: -512...512, step: 0.01))])
  ])
}

/// A server in this process with one relay room kind, `plane`, in which bots move.
func withRelayServer<Result>(
  limits: RoomLimits = RoomLimits(), configure: (inout ServerConfiguration) -> Void = { _ in },
  _ body: (UInt16) throws -> Result
) throws -> Result {
  let schema = try relaySchema()
  let kind = RoomKind("plane", schema: schema, limits: limits) {
    RelayLogic(grants: [.init(kind: KindIndex(0), atJoin: 1, most: 1)])
  }
  var configuration = ServerConfiguration(rooms: [kind])
  configuration.host = "127.0.0.1"
  configuration.port = .any
  configuration.loops = .count(1)
  configuration.admin.port = .off
  configure(&configuration)
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  let server = try Server.start(configuration, handlesSignals: false, logger: logger)
  defer {
    server.stop()
    server.waitUntilStopped()
  }
  return try body(UInt16(server.port))
}

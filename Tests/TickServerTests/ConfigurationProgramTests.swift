import Foundation
import Logging
import RoomEngine
import Testing
import WireFormat

@testable import TickServer

@Suite("Room kinds that a program defines")
struct ConfigurationProgramTests {
  @Test("a file changes their tick rate, capacity and limits, and adds relay rooms")
  func combined() throws {
    let program = ServerConfiguration(rooms: [try programRoom("tag")])
    let yaml = """
      rooms:
        tag: {capacity: 4, limits: {grace: 3s}}
        lobby: {entities: {e: {fields: {f: {type: bool}}}}}
      """
    let loaded = try load(yaml, flags: [("rooms.tag.tickRate", "60", "--set")], program: program)
    let rooms = loaded.configuration.roomKinds
    #expect(rooms.map(\.name) == ["tag", "lobby"])
    #expect(rooms[0].capacity == 4)
    #expect(rooms[0].tickRate == 60)
    #expect(rooms[0].limits.grace == .seconds(3))
    #expect(rooms[0].schema == program.roomKinds[0].schema)
    #expect(loaded.origin(of: "rooms.tag.limits.linger") == .program)
    #expect(try load(loaded.yaml, program: program).values == loaded.values)
  }

  @Test("the file cannot change their schema")
  func schema() throws {
    let program = ServerConfiguration(rooms: [try programRoom("tag")])
    #expect(
      faults("rooms:\n  tag:\n    entities: {e: {fields: {f: {type: bool}}}}", program: program) == [
        "t.yaml:3: rooms.tag.entities cannot be set: the program defines this room kind. Remove it; "
          + "tickRate, capacity and limits may stay."
      ])
  }

  @Test("without rooms of the program or the file there is the default room")
  func defaultRoom() throws {
    let kind = try #require(try load(program: ServerConfiguration(rooms: [])).configuration.roomKinds.first)
    #expect(kind.name == "arena")
    #expect(kind.schema == RoomKind.arena.schema)
    #expect(try load(program: ServerConfiguration(rooms: [try programRoom("tag")])).configuration.roomKinds.count == 1)
  }

  @Test("what a program sets is checked like everything else")
  func validate() throws {
    var limits = RoomLimits()
    limits.frameLogBytes = ByteCount(0)
    var configuration = ServerConfiguration(rooms: [
      try programRoom("tag", tickRate: 0, limits: limits), try programRoom("tag"),
    ])
    configuration.port = 0
    configuration.idleDeadline = .zero
    configuration.authentication = .tokens([])
    configuration.logLevel = .debug
    let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
    #expect(
      error?.description.split(separator: "\n").map(String.init) == [
        "program: port is \"0\": 0 never means any, auto, off or unlimited. Allowed: any or 1 to 65535.",
        "program: idleDeadline is \"0ns\": 0 never means any, auto, off or unlimited. Allowed: 1s to 1h.",
        "program: auth: it has no token. Allowed: off, or a section with tokens or tokensFile.",
        "program: rooms.tag.tickRate is \"0\": 0 never means any, auto, off or unlimited. Allowed: 1 to 128.",
        "program: rooms.tag.limits.frameLogBytes is \"0B\": 0 never means any, auto, off or unlimited. "
          + "Allowed: 4KiB to 64MiB.",
        "program: pingInterval is 10s and idleDeadline is 0ns: quiet connections would be closed before they are "
          + "asked. Make pingInterval shorter.",
        "program: the room kind \"tag\" stands twice. Give each its own name.",
      ])
    try ServerConfiguration().validate()
    #expect(throws: ConfigurationError.self) { try ServerConfiguration(rooms: []).validate() }
  }

  @Test("the bounds of limits are those of the engine, on both ends")
  func bounds() throws {
    try agree(\.frameLogFrames, "frameLogFrames") { $0 + $1 }
    try agree(\.eventLogEvents, "eventLogEvents") { $0 + $1 }
    try agree(\.messagesPerSecond, "messagesPerSecond") { $0 + $1 }
    try agree(\.messageBurst, "messageBurst") { $0 + $1 }
    try agree(\.admissionsPerTick, "admissionsPerTick") { $0 + $1 }
    for (path, name) in [
      (\RoomLimits.frameLogBytes, "frameLogBytes"), (\.eventLogBytes, "eventLogBytes"),
      (\.eventBytesPerTick, "eventBytesPerTick"), (\.payloadBytes, "payloadBytes"), (\.inboxBytes, "inboxBytes"),
      (\.backlogBytes, "backlogBytes"),
    ] { try agree(path, name) { ByteCount($0.bytes + $1) } }
    for (path, name) in [
      (\RoomLimits.stallDeadline, "stallDeadline"), (\.lagDeadline, "lagDeadline"),
      (\.grace, "grace"), (\.linger, "linger"), (\.heartbeat, "heartbeat"),
    ] { try agree(path, name) { $0 + .nanoseconds($1) } }
  }

  /// Reads the bounds of the setting, and asks the engine about them and the values next to them.
  private func agree<Value>(
    _ path: WritableKeyPath<RoomLimits, Value>, _ name: String, step: (Value, Int) -> Value
  ) throws {
    let setting = try #require(settings(of: ConfigurationDraft()).first { $0.key == "rooms.arena.limits.\(name)" })
    let bounds = setting.allowed.components(separatedBy: " to ")
    for (bound, outward) in zip(bounds, [-1, 1]) {
      var draft = ConfigurationDraft()
      // What would forbid a bound of another limit together with the default of this one.
      draft.rooms[0].limits.eventLogBytes = .kib(512)
      draft.rooms[0].limits.eventBytesPerTick = .kib(2)
      #expect(setting.write(bound, &draft) == nil)
      #expect(draft.rooms[0].limits.fault == nil, "\(name) \(bound)")
      let value = draft.rooms[0].limits[keyPath: path]
      draft.rooms[0].limits[keyPath: path] = step(value, outward)
      #expect(draft.rooms[0].limits.fault != nil, "\(name) beyond \(bound)")
      #expect(setting.problem(draft) != nil, "\(name) beyond \(bound)")
    }
  }
}

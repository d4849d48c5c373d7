import Testing
import WireFormat

@testable import BotSwarm
@testable import EventLoop

/// Whole runs against a real server, and against one whose words are spoiled on the way.
@Suite struct SwarmRunTests {
  @Test(arguments: [SwarmPlan.Decode.full, .shared])
  func aGoodServerPassesEveryCheck(decode: SwarmPlan.Decode) throws {
    let report = try withRelayServer { port in try SwarmRun(plan(port, decode), terminal: nil).run() }
    #expect(report.verdict.outcome == .ok, "\(report.verdict.line) \(report.totals.notes)")
    #expect(report.totals.joined == 8)
    #expect(report.totals.leftInOrder == 8)
    #expect(report.totals.hashesCompared > 100)
    #expect(report.totals.eventsChecked >= report.totals.eventsRaised * 3)
    #expect(report.totals.whispersChecked > 0)
    #expect(report.totals.callsAnswered == report.totals.callsMade && report.totals.callsMade > 0)
    #expect(report.totals.entityUpdates > 0)
    #expect((report.totals.framesShared > 0) == (decode == .shared))
    #expect(report.setting.tickRate == 30)
    #expect(report.totals.frameBytes == nil)
  }

  @Test(arguments: [SwarmPlan.Decode.full, .shared])
  func thePartsOfAFrameMakeUpTheWhole(decode: SwarmPlan.Decode) throws {
    let report = try withRelayServer { port in
      var plan = plan(port, decode)
      plan.measuresBytes = true
      return try SwarmRun(plan, terminal: nil).run()
    }
    #expect(report.verdict.outcome == .ok, "\(report.verdict.line) \(report.totals.notes)")
    let bytes = try #require(report.totals.frameBytes)
    for sum in [bytes.frames, bytes.keyframes] {
      #expect(sum.count > 0)
      #expect(sum.costs.totalBits + sum.prefixBytes * 8 == sum.bytes * 8)
    }
    // Two rooms of four, in which nearly all bots move in nearly every tick.
    #expect(bytes.frames.costs.updates[0] > bytes.frames.count * 2)
    #expect(bytes.frames.costs.fields[0][0].values >= bytes.frames.costs.updates[0])
    #expect(BytesTable(bytes).text.contains("avatar.position: values"))
  }

  @Test func aLostFrameIsAGap() throws {
    let report = try spoiled { frame, type, body in
      type == MessageType.frame.rawValue && frame == 20 ? [] : [body]
    }
    #expect(report.totals.faults.gaps == 1)
    #expect(report.verdict.outcome == .failed)
  }

  @Test func aFrameSentTwiceIsAnOrderFault() throws {
    let report = try spoiled { frame, type, body in
      type == MessageType.frame.rawValue && frame == 20 ? [body, body] : [body]
    }
    #expect(report.totals.faults.orderFaults == 1)
    #expect(report.verdict.outcome == .failed)
  }

  @Test(arguments: [SwarmPlan.Decode.full, .shared])
  func aBotThatSeesAnotherStateThanTheOthersIsFound(decode: SwarmPlan.Decode) throws {
    let forger = FrameForger(try relaySchema())
    let report = try spoiled(decode) { frame, type, body in
      guard type == MessageType.frame.rawValue else { return [body] }
      return [forger.follow(body, forging: frame == 30)]
    }
    #expect(report.totals.faults.hashDifferences > 0)
    #expect(report.totals.faults.decodeErrors == 0)
    #expect(report.verdict.outcome == .failed)
    #expect(report.totals.notes.first?.contains("state differs") == true)
  }

  @Test func aWhisperThatNeverCameIsLost() throws {
    let report = try spoiled { _, type, body in type == MessageType.whisper.rawValue ? [] : [body] }
    #expect(report.totals.faults.eventsLost > 0)
    #expect(report.verdict.outcome == .failed)
  }

  @Test func aCallWithoutAReplyIsFound() throws {
    let report = try spoiled { _, type, body in type == MessageType.reply.rawValue ? [] : [body] }
    #expect(report.totals.faults.callFaults > 0)
    #expect(report.verdict.outcome == .failed)
  }

  @Test func aMessageThatIsNoneIsADecodeError() throws {
    let report = try spoiled { frame, type, body in
      type == MessageType.frame.rawValue && frame == 20 ? [[0xFF, 0xFF]] : [body]
    }
    #expect(report.totals.faults.decodeErrors == 1)
    #expect(report.totals.disconnects == ["protocolFault": 1])
  }

  @Test func aServerThatIsNotThereFailsTheRunAndLeavesNothingOpen() throws {
    let loop = try Loop()
    let listener = try Listener(loop: loop, host: "127.0.0.1", port: 0, onAccept: { _ in }, onError: { _ in })
    let port = listener.port
    loop.stop()
    loop.run()
    let report = try SwarmRun(plan(port, .full), terminal: nil).run()
    #expect(report.totals.joined == 0)
    #expect(report.totals.connectFailures.values.reduce(0, +) == 8)
    #expect(report.totals.socketsLeftOpen == 0)
    #expect(report.verdict.outcome == .failed)
  }

  @Test func anUnknownRoomKindIsReportedAsTheServerSaidIt() throws {
    let report = try withRelayServer { port in
      var plan = plan(port, .full)
      plan.roomKind = "nowhere"
      return try SwarmRun(plan, terminal: nil).run()
    }
    #expect(report.totals.joinRefusals == ["unknownRoomKind": 8])
    #expect(report.verdict.exitStatus == 1)
  }

  // MARK: Rigs

  private func plan(_ port: UInt16, _ decode: SwarmPlan.Decode) -> SwarmPlan {
    var plan = SwarmPlan()
    plan.port = port
    plan.bots = 8
    plan.roomSize = 4
    plan.roomKind = "plane"
    plan.inputRate = 30
    plan.eventIntervalSeconds = 0.2
    plan.durationSeconds = 1
    plan.decode = decode
    return plan
  }

  private func spoiled(
    _ decode: SwarmPlan.Decode = .full, _ tamper: @escaping TamperingProxy.Tamper
  ) throws -> SwarmReport {
    try withRelayServer { port in
      let proxy = try TamperingProxy.start(to: port, tamper: tamper)
      defer {
        proxy.thread.stop()
        proxy.thread.join()
      }
      return try SwarmRun(plan(proxy.port, decode), terminal: nil).run()
    }
  }
}

@Suite struct SwarmPlanTests {
  /// What `auto` comes to: each bot decodes for itself as long as a loop has time for that.
  @Test(arguments: [
    (bots: 1_000, roomSize: 100, loops: 1, isShared: false), (1_100, 50, 1, true), (1_100, 50, 2, false),
    // Of one room, each bot's frames have all of them.
    (300, 300, 1, false), (500, 500, 1, true), (300, 1_000, 1, false), (1_000, 200, 1, true), (1_000, 200, 2, false),
  ])
  func decodingIsSharedWhereALoopWouldNotKeepUp(bots: Int, roomSize: Int, loops: Int, isShared: Bool) {
    var plan = SwarmPlan()
    plan.bots = bots
    plan.roomSize = roomSize
    plan.loops = loops
    #expect(plan.sharesDecoding == isShared)
    plan.decode = .full
    #expect(!plan.sharesDecoding)
    plan.decode = .shared
    #expect(plan.sharesDecoding)
  }
}

import ClientCore
import EventLoop
import WireFormat

/// One connection of a hostile bot: connects, speaks the protocol as far as it is told to, and finds out how the
/// server ended it, also while nothing is read. Confined to its loop.
final class HostileLink: StreamDelegate {
  /// Bytes that may wait for the socket: a bot that floods keeps no more.
  private static let mostWaitingBytes = 64 * 1024

  let bot: HostileBot
  /// Speaks the protocol for bots that join; nil for those that don't.
  let core: ClientCore?
  private let room: String?
  private var attempt: ConnectAttempt?
  private(set) var stream: Stream?
  /// Cuts the stream beside the core, which a flooding bot no longer asks.
  private var assembler = MessageAssembler(limit: WireLimits.serverMessageBytes)
  private var isCoreFed = true
  private var isDeaf = false
  private(set) var isReading = true
  /// Seen before the end was read, which may then look orderly.
  private var wasReset = false
  private var waiting: [UInt8] = []
  private var inFlight: UnsafeMutableRawBufferPointer?
  private(set) var hasEnded = false
  /// Kept without another word or read, until the server has let go of it.
  private var isHalfClosed = false

  /// - Parameters:
  ///   - core: Says Hello when connected, or resumes.
  ///   - room: Is joined when welcomed.
  init(of bot: HostileBot, core: ClientCore? = nil, room: String? = nil) {
    self.bot = bot
    self.core = core
    self.room = room
  }

  deinit { inFlight?.deallocate() }

  var isOpen: Bool { stream != nil && !hasEnded }

  func connect(receiveBufferBytes: Int?) {
    let surroundings = bot.surroundings
    attempt = Stream.connect(
      loop: surroundings.loop, host: surroundings.plan.host, port: surroundings.plan.port,
      localAddress: surroundings.localAddress(bot.index), receiveBufferBytes: receiveBufferBytes
    ) { [self] result in
      attempt = nil
      switch result {
      case .success(let stream): didConnect(stream)
      case .failure: end("connectFailed")
      }
    }
  }

  private func didConnect(_ stream: Stream) {
    guard !hasEnded else { return stream.close() }
    self.stream = stream
    stream.delegate = self
    stream.startReading()
    if let core {
      try? core.connect(now: LoopMeasures.now())
      flushCore()
    }
    bot.connected(self)
  }

  // MARK: Out

  /// Sends what the core has to say.
  func flushCore() {
    guard let core, core.outputBytes > 0 else { return }
    let output = core.takeOutput()
    // What is sent while no acknowledgement gets in is repeated ever later, and all that is sent after it waits with it.
    if !isDeaf { send(output) }
  }

  /// Sends bytes as they are; drops them while too many wait.
  func send(_ bytes: [UInt8]) {
    guard isOpen, waiting.count + bytes.count <= Self.mostWaitingBytes else { return }
    waiting += bytes
    flush()
  }

  private func flush() {
    guard let stream, isOpen, inFlight == nil, !waiting.isEmpty else { return }
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: waiting.count, alignment: 1)
    copy.copyBytes(from: waiting)
    waiting.removeAll(keepingCapacity: true)
    do throws(LoopError) {
      try stream.write(UnsafeRawBufferPointer(copy))
      inFlight = copy
    } catch {
      copy.deallocate()
      end("peerReset")
    }
  }

  func stream(_ stream: Stream, didCompleteWrite error: LoopError?) {
    inFlight?.deallocate()
    inFlight = nil
    // A failed write is told by the next read, with the goodbye before it if there is one.
    if error == nil { flush() } else if isOpen, !isHalfClosed { readOn() }
  }

  // MARK: In

  func stopReading() {
    isReading = false
    stream?.stopReading()
  }

  /// Ends our direction, and keeps the socket without reading; tells the bot `gone` once the server has let go.
  func halfClose() {
    guard let descriptor = stream?.descriptor else { return }
    stopReading()
    isHalfClosed = true
    HostileSocket.halfClose(descriptor)
  }

  func readOn() {
    isReading = true
    stream?.startReading()
  }

  /// Nothing arrives any more, in either direction. False where the system does not allow it.
  func deafen() -> Bool {
    guard let descriptor = stream?.descriptor, HostileSocket.deafen(descriptor) else { return false }
    isCoreFed = false
    isDeaf = true
    return true
  }

  /// Lets packets in again.
  func hear() {
    isDeaf = false
    if let descriptor = stream?.descriptor { HostileSocket.hear(descriptor) }
  }

  /// From here on what the server says is only searched for its goodbye.
  func stopFollowing() { isCoreFed = false }

  func stream(_ stream: Stream, didRead bytes: UnsafeRawBufferPointer) {
    take(bytes.assumingMemoryBound(to: UInt8.self).span)
  }

  func take(_ bytes: Span<UInt8>) {
    guard !hasEnded else { return }
    var goodbye: String?
    _ = try? assembler.feed(bytes) { type, body in
      guard type == MessageType.goodbye.rawValue else { return .proceed }
      goodbye = (try? Goodbye(body)).map { CloseReason(rawValue: $0.code)?.name ?? "reason \($0.code)" }
      return .stop
    }
    if isCoreFed, let core, !core.receive(bytes, now: LoopMeasures.now(), self), goodbye == nil {
      goodbye = "protocolFault"
    }
    guard !hasEnded else { return }
    if let goodbye { return end(goodbye) }
    flushCore()
    bot.didRead(self, bytes.count)
  }

  func streamDidEnd(_ stream: Stream, _ streamEnd: StreamEnd) {
    end(streamEnd == .endOfStream && !wasReset ? "peerClosed" : "peerReset")
  }

  /// A connection that is read is kept alive. One that is not is looked at: when the server has ended it, it is read to
  /// its end, to learn why.
  func watch(now: UInt64) {
    guard isOpen else { return }
    if isReading {
      guard isCoreFed, let core else { return }
      if !core.tick(now: now) { return end("serverSilent") }
      flushCore()
    } else if let descriptor = stream?.descriptor {
      switch HostileSocket.state(descriptor) {
      case .established, .halfClosed: return
      case .ended where isHalfClosed, .reset where isHalfClosed: return end("gone")
      case .ended: break
      case .reset: wasReset = true
      }
      readOn()
    }
  }

  // MARK: Ends

  private func end(_ name: String) {
    guard !hasEnded else { return }
    letGo { $0.close() }
    bot.ended(self, name)
  }

  /// Ends it from this side, and tells nobody.
  func letGo(_ close: (Stream) -> Void) {
    hasEnded = true
    attempt?.cancel()
    if let stream { close(stream) }
  }

  func streamDidClose(_ stream: Stream) { self.stream = nil }
}

extension HostileLink: ClientCoreDelegate {
  func client(_ core: ClientCore, didReceive welcome: Welcome) {
    bot.welcomed(self)
    guard !hasEnded, let room, core.phase == .welcomed else { return }
    join(room)
  }

  func join(_ room: String) {
    // Refused only when the bot has ended the conversation meanwhile.
    try? core?.join(room, kind: bot.surroundings.plan.roomKind)
    flushCore()
  }

  func client(_ core: ClientCore, didReceive joined: Joined) { if !hasEnded { bot.joined(self) } }

  func clientDidLeave(_ core: ClientCore) { if !hasEnded { bot.left(self) } }

  func client(_ core: ClientCore, didReceive refusal: JoinRefused) {
    if !hasEnded { bot.refused(self, JoinRefusal(rawValue: refusal.code).map { "\($0)" } ?? "refusal \(refusal.code)") }
  }

  func client(_ core: ClientCore, didApply frame: FrameContent) { bot.applied(self, frame) }

  func client(_ core: ClientCore, didReceive event: RoomEvent, payload: Span<UInt8>) {
    bot.heard(self, event, payload)
  }

  func client(_ core: ClientCore, didFind fault: ClientFault) { bot.found(self, fault) }
}

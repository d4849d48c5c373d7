import EventLoop
import RoomEngine

extension MemoryDemand {
  /// What a configuration asks for on this machine.
  init(_ configuration: ServerConfiguration, limit: MemoryLimit?) {
    self.init(kinds: configuration.roomKinds)
    self.limit = limit?.size
    connections = configuration.maxConnections
    rooms = configuration.maxRooms
    loops = configuration.loops.number
    refusedConnections = Refusals.most(loops: loops) * loops
    maxClientMessage = configuration.maxClientMessage.bytes
    sendBuffer = configuration.sendBuffer.fixed
    receiveBuffer = configuration.receiveBuffer.fixed
    laggardBudget = configuration.laggardBudget.fixed
    inputBudget = configuration.inputBudget.fixed
    if let most = SocketBufferSizes.most() {
      (mostSendBuffer, mostReceiveBuffer) = (ByteCount(most.sendBytes), ByteCount(most.receiveBytes))
    }
    if configuration.admin.port == .off { adminConnections = 0 } else { adminConnections = AdminConnections.most }
  }
}

extension LoopCount {
  /// How many that is here.
  var number: Int {
    switch self {
    case .auto: availableCores()
    case .count(let count): count
    }
  }
}

/// A memory plan with the limits that it was made for.
struct LimitedPlan: Sendable {
  let plan: MemoryPlan
  let limits: MemoryLimits
  /// The one in force: the tightest.
  var limit: MemoryLimit? { limits.inForce }

  init(_ configuration: ServerConfiguration, files: SystemFiles = SystemFiles()) {
    limits = MemoryLimits(configuration.memoryLimit, files: files)
    plan = MemoryPlan(MemoryDemand(configuration, limit: limits.inForce))
  }

  /// The limits that are not in force, in words.
  var above: [String] { limits.all.dropFirst().map { "\(sizeText($0.size.bytes)) (\($0))" } }

  /// What an operator should know and change, though the server can start.
  var warnings: [String] { [limits.warning, partWarning].compactMap { $0 } }

  /// Version 1 limits TCP buffers apart: the sum may fit where one part does not.
  private var partWarning: String? {
    guard plan.fits, let limit, let part = limit.socketPart else { return nil }
    let buffers = plan.socketBufferBytes
    let (own, rest) = (limit.size.bytes - part.bytes, plan.totalBytes - buffers)
    if rest > own {
      return "the plan is \(sizeText(rest)) without TCP buffers, memory.limit_in_bytes \(sizeText(own)): "
        + "move some of memory.kmem.tcp.limit_in_bytes (\(sizeText(part.bytes))) to it, or lower maxRooms"
    }
    if buffers > part.bytes {
      return "the plan is \(sizeText(buffers)) of TCP buffers, memory.kmem.tcp.limit_in_bytes \(sizeText(part.bytes)): "
        + "move some of memory.limit_in_bytes (\(sizeText(own))) to it, or lower maxConnections"
    }
    return nil
  }

  /// Why the server can't start with it, in lines; nil when it fits.
  var refusal: String? {
    guard !plan.fits, let limit else { return nil }
    let most = plan.lines.sorted { $0.bytes > $1.bytes }.prefix(4)
    let sum = most.map { "\($0.name) \($0.count) x \(sizeText($0.bytesEach)) = \(sizeText($0.bytes))" }
    let changes = plan.advice.map { "\($0.setting) \($0.value) -> \($0.suggestion)" }
    return """
      the memory plan is \(sizeText(plan.totalBytes)), the limit \(sizeText(limit.size.bytes)) (\(limit)).
        Most of it: \(sum.joined(separator: "; ")).
        Change one of: \(changes.joined(separator: "; ")).
      """
  }
}

/// `12.5MiB`: for people; settings want whole numbers.
func sizeText(_ bytes: Int) -> String {
  for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] where bytes.magnitude >= size {
    let tenths = (bytes * 10 + (bytes < 0 ? -size / 2 : size / 2)) / size
    let fraction = Int(tenths.magnitude % 10)
    return "\(tenths / 10)" + (fraction == 0 ? "" : ".\(fraction)") + unit
  }
  return "\(bytes)B"
}

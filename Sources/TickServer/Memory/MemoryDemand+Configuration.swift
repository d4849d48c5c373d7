import EventLoop
import RoomEngine

extension MemoryDemand {
  /// What a configuration asks for on this machine.
  init(_ configuration: ServerConfiguration, limit: MemoryLimit?, files: SystemFiles = SystemFiles()) {
    self.init(kinds: configuration.roomKinds)
    self.limit = limit?.size
    connections = configuration.maxConnections
    refusedConnections = ConnectionAdmission.mostRefused
    rooms = configuration.maxRooms
    loops = configuration.loops.number
    maxClientMessage = configuration.maxClientMessage.bytes
    sendBuffer = configuration.sendBuffer.fixed
    receiveBuffer = configuration.receiveBuffer.fixed
    laggardBudget = configuration.laggardBudget.fixed
    inputBudget = configuration.inputBudget.fixed
    if let bytes = files.number("/proc/sys/net/core/wmem_max") { mostSendBuffer = ByteCount(bytes) }
    if let bytes = files.number("/proc/sys/net/core/rmem_max") { mostReceiveBuffer = ByteCount(bytes) }
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

/// A memory plan with the limit that it was made for.
struct LimitedPlan: Sendable {
  let plan: MemoryPlan
  let limit: MemoryLimit?

  init(_ configuration: ServerConfiguration, files: SystemFiles = SystemFiles()) {
    limit = MemoryLimit(configuration.memoryLimit, files: files)
    plan = MemoryPlan(MemoryDemand(configuration, limit: limit, files: files))
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

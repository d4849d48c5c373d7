/// What `auto` comes to: the least of everything first, then the rest of the limit in fixed shares, up to what is still of use.
extension MemorySizes {
  init(auto demand: MemoryDemand) {
    let least = MemorySizes(leastOf: demand)
    let most = MemorySizes(mostOf: demand)
    guard let limit = demand.limit else {
      self = most
      return
    }
    self = least
    let rest = limit.bytes - MemoryPlan(demand, sizes: least).totalBytes
    guard rest > 0 else { return }
    let connections = demand.connections + demand.refusedConnections
    // Tenths of the rest: 4 for send buffers (which count three times), 1 for receive buffers (twice), 2 each for laggards
    // and input (which counts twice), one half for idle buffers. What remains is headroom, and the slack of the three.
    func share(_ tenths: Double, of count: Int) -> Int { Int(Double(rest) * tenths / 10) / max(1, count) }
    sendBuffer = least.sendBuffer.grown(by: share(4, of: 3 * connections), upTo: most.sendBuffer)
    receiveBuffer = least.receiveBuffer.grown(by: share(1, of: 2 * connections), upTo: most.receiveBuffer)
    laggardBudget = least.laggardBudget.grown(by: share(2, of: 1), upTo: most.laggardBudget)
    inputBudget = least.inputBudget.grown(by: share(2, of: 2), upTo: most.inputBudget)
    idlePerLoop = least.idlePerLoop.grown(by: share(0.5, of: demand.loops), upTo: most.idlePerLoop)
  }

  private init(leastOf demand: MemoryDemand) {
    let input = demand.connections.multipliedSaturating(by: MemoryAuto.leastInputPerConnection.bytes)
    let most = MemorySizes.mostInput(demand)
    self.init(
      sendBuffer: demand.sendBuffer ?? MemoryAuto.leastBuffer,
      receiveBuffer: demand.receiveBuffer ?? MemoryAuto.leastBuffer,
      laggardBudget: demand.laggardBudget ?? MemoryAuto.leastLaggards,
      inputBudget: demand.inputBudget ?? max(.mib(1), min(ByteCount(input), most)),
      idlePerLoop: MemoryAuto.leastIdlePerLoop)
  }

  private init(mostOf demand: MemoryDemand) {
    self.init(
      sendBuffer: demand.sendBuffer ?? MemoryAuto.mostSendBuffer,
      receiveBuffer: demand.receiveBuffer ?? MemoryAuto.mostReceiveBuffer,
      laggardBudget: demand.laggardBudget ?? MemoryAuto.mostLaggards,
      inputBudget: demand.inputBudget ?? max(.mib(1), Self.mostInput(demand)),
      idlePerLoop: MemoryAuto.mostIdlePerLoop)
  }

  /// More than all connections could ever fill is of no use.
  private static func mostInput(_ demand: MemoryDemand) -> ByteCount {
    let waiting = demand.kinds.map(\.limits.inboxBytes.bytes).max() ?? 0
    let all = demand.connections.multipliedSaturating(by: waiting + demand.maxClientMessage)
    return min(ByteCount(all), MemoryAuto.mostInput)
  }
}

extension ByteCount {
  /// In whole KiB, so that a plan reads well.
  fileprivate func grown(by bytes: Int, upTo most: ByteCount) -> ByteCount {
    max(self, min(ByteCount((self.bytes + bytes) / 1024 * 1024), most))
  }
}

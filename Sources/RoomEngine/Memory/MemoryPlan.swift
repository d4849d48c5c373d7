/// The worst case of a server's memory, line by line, computed before a socket is opened.
///
/// It is the sum of what settings multiply (connections, rooms, loops) and of budgets that all members share and that
/// hold at run time (``InputAccount``, the laggards' budget): a worst member for every connection would be a
/// sum that no machine has.
package struct MemoryPlan: Sendable {
  package struct Line: Equatable, Sendable {
    /// Which part of the worst case it is.
    package let name: String
    /// What `bytesEach` is made of, in words and settings.
    package let formula: String
    package let count: Int
    package let bytesEach: Int
    /// Held by the kernel for the process: charged to the container, but not in its RSS.
    package let isKernel: Bool
    /// Counted for every connection.
    package var isPerConnection = false

    package var bytes: Int { count.multipliedSaturating(by: bytesEach) }
  }

  package let demand: MemoryDemand
  package let sizes: MemorySizes
  package let lines: [Line]

  package init(_ demand: MemoryDemand) {
    self.demand = demand
    sizes = MemorySizes(auto: demand)
    lines = Self.lines(demand, sizes)
  }

  /// With these sizes, whatever `auto` would choose.
  init(_ demand: MemoryDemand, sizes: MemorySizes) {
    self.demand = demand
    self.sizes = sizes
    lines = Self.lines(demand, sizes)
  }

  /// Everything, in bytes.
  package var totalBytes: Int { lines.reduce(0) { $0.addingSaturating($1.bytes) } }

  /// What the process itself may hold: what its RSS is to be compared with, in bytes.
  package var processBytes: Int { lines.reduce(0) { $1.isKernel ? $0 : $0.addingSaturating($1.bytes) } }

  package var kernelBytes: Int { lines.reduce(0) { $1.isKernel ? $0.addingSaturating($1.bytes) : $0 } }

  /// What of the kernel's share is buffers, which version 1 of control groups may limit apart.
  package var socketBufferBytes: Int {
    lines.reduce(0) { ["kernel: send", "kernel: receive"].contains($1.name) ? $0.addingSaturating($1.bytes) : $0 }
  }

  /// Most bytes that a socket is offered at once, as the line of the send buffers counts.
  package var mostOfferedBytes: Int { min(sizes.sendBuffer, demand.mostSendBuffer).bytes }

  /// What the kernel may hold of one connection.
  package var kernelBytesOfConnection: Int {
    lines.reduce(0) { $1.isKernel && $1.isPerConnection ? $0.addingSaturating($1.bytesEach) : $0 }
  }

  /// What is left under the limit, negative when the plan is over it; nil without a limit.
  package var headroomBytes: Int? { demand.limit.map { $0.bytes - totalBytes } }

  package var fits: Bool { headroomBytes.map { $0 >= 0 } ?? true }
}

extension Int {
  /// Plans of absurd configurations are absurd sums, never overflows.
  package func multipliedSaturating(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max / 4 : Swift.min(product, .max / 4)
  }

  package func addingSaturating(_ other: Int) -> Int { Swift.min(self + other, .max / 4) }
}

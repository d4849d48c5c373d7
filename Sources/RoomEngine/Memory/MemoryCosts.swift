/// What things cost that no setting decides. Measured with the release build on Linux x86-64, rounded up.
package enum MemoryCosts {
  /// RSS of an idle server with its admin port: measured 24.9 MiB with two loops, 22 of them mapped files (program, Swift
  /// runtime, Foundation), which the kernel could drop, but only to read them again at once.
  package static let process = 25 * 1024 * 1024
  /// A loop: the touched part of its thread's stack and allocator arena, read buffer (64 KiB), spare write requests (192
  /// KiB), plans, timers.
  package static let loop = 512 * 1024
  /// A connection without its buffers: `Connection`, `Delivery`, `Stream`, the libuv handle, its places in tables. Measured
  /// with 10,000: 1.2 KiB each before they join, 2.1 KiB in rooms of 50 where nothing moves, the rooms included.
  package static let connection = 2 * 1024
  /// A socket in the kernel without its buffers: `tcp_sock`, inode, dentry, file, epoll entry.
  package static let socket = 4 * 1024
  /// A seat with its session, its ticket and its places in the tables of room, loop and server.
  package static let seat = 1024
  /// A room's own objects and dictionary entries.
  package static let room = 8 * 1024
  /// The object around a pooled buffer, the allocator's heads and its slot in a ring that has just doubled.
  package static let bufferHead = 160
  /// Log lines that wait for the writer's thread: some thousand, a second of a busy server. As many are being written.
  package static let logQueue = 256 * 1024
  /// What the kernel books of one offer beside its bytes: the head of its segment, or of two, and what libuv waits with.
  package static let offerHead = 2 * 1024
  /// The kernel takes the memory of sockets by the page.
  package static let page = 4096
  /// A thread in the kernel: its stack and `task_struct`; page tables of its stack and arena.
  package static let thread = 32 * 1024
  /// Threads beside the loops: main, signals, memory, admin, log writer, and one to spare.
  package static let helperThreads = 6
  /// Page tables of the program's own mappings; of what is allocated they take an entry of 8 bytes for each page of 4 KiB.
  package static let pageTables = 512 * 1024
  package static let pageTableDivisor = 512
  /// An HTTP connection of the admin port: a request, NIO's pipeline and buffers.
  package static let adminConnection = 24 * 1024
  /// The longest answer of the admin port, for each loop: 110 series of some 90 bytes, or as much JSON.
  package static let adminAnswerOfLoop = 12 * 1024
  /// The health check is a second process for some milliseconds; its code is shared.
  package static let healthCheck = 2 * 1024 * 1024
  /// Share of what is allocated that the allocator loses between blocks: a tenth. Buffers are powers of two, which it
  /// packs well.
  package static let slackDivisor = 10
}

/// The range in which `auto` chooses.
package enum MemoryAuto {
  /// Under 8 KiB the kernel books more for its own structures than for the bytes, and a keyframe takes many round trips.
  package static let leastBuffer = ByteCount.kib(8)
  /// 64 KiB hold 300 ms of frames of 4 KiB at 30 Hz.
  package static let mostSendBuffer = ByteCount.kib(64)
  /// Clients send some KiB a second; a larger window only lets hostile ones fill more.
  package static let mostReceiveBuffer = ByteCount.kib(16)
  /// A few members with a keyframe, events and full backlog each.
  package static let leastLaggards = ByteCount.mib(2)
  package static let mostLaggards = ByteCount.mib(64)
  /// Every connection may have this much waiting whatever the others do: an input is far smaller.
  package static let leastInputPerConnection = ByteCount.kib(2)
  package static let mostInput = ByteCount.mib(64)
  package static let leastIdlePerLoop = ByteCount.kib(512)
  package static let mostIdlePerLoop = ByteCount.mib(8)
}

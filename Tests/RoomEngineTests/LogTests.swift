import Testing
import WireFormat

@testable import RoomEngine

@Suite struct LogTests {
  private func frame(_ pool: BufferPool, tick: UInt32, bytes: Int = 64, event: UInt64 = 0) -> FrameLog.Frame {
    FrameLog.Frame(buffer: pool.lease(bytes), tick: Tick(tick), lastEvent: event)
  }

  @Test func framesAreKeptUpToACount() {
    let pool = BufferPool()
    var log = FrameLog(frames: 3, bytes: .mib(1))
    #expect((log.tail, log.head) == (1, 0))
    for number in 1...5 { log.append(frame(pool, tick: UInt32(number) * 10, event: UInt64(number)), pool: pool) }
    #expect((log.tail, log.head) == (3, 5))
    #expect((log.headTick, log.headEvent) == (Tick(50), 5))
    #expect(log.reaches(back: 2))
    #expect(!log.reaches(back: 1))
    #expect(log.frame(3).tick == Tick(30))
    #expect(pool.usage.leasedBuffers == 3)
    #expect(log.bytes == 192)
    log.removeAll(pool: pool)
    #expect(pool.usage.leasedBuffers == 0)
    #expect(log.bytes == 0)
  }

  @Test func framesAreKeptUpToTheirBytesButTheNewestAlways() {
    let pool = BufferPool()
    var log = FrameLog(frames: 100, bytes: .kib(4))
    for tick in 1...10 { log.append(frame(pool, tick: UInt32(tick), bytes: 1024), pool: pool) }
    #expect(log.tail == 7)
    log.append(frame(pool, tick: 11, bytes: 100_000), pool: pool)
    #expect((log.tail, log.head) == (11, 11))
    #expect(pool.usage.leasedBuffers == 1)
    log.removeAll(pool: pool)
  }

  @Test func aFrameIsFoundByItsTick() {
    let pool = BufferPool()
    var log = FrameLog(frames: 4, bytes: .mib(1))
    #expect(log.number(of: Tick(0)) == nil)
    for tick: UInt32 in [2, 3, 7, 8, 20, 21] { log.append(frame(pool, tick: tick), pool: pool) }
    let found = [2, 3, 7, 8, 9, 20, 21, 22].map { log.number(of: Tick($0)) }
    #expect(found == [nil, nil, 3, 4, nil, 5, 6, nil])
    log.removeAll(pool: pool)
  }

  private func events(_ pool: BufferPool, _ count: Int, bytes: Int) -> (PooledBuffer, Int) {
    let buffer = pool.lease(bytes)
    buffer.write { out in for _ in 0..<bytes { out.put(byte: 7) } }
    return (buffer, count)
  }

  @Test func missedEventsAreOneMessageFromABoundaryOn() throws {
    let pool = BufferPool()
    var log = EventLog(events: 100, bytes: .kib(64))
    for count in 1...3 {
      let (buffer, count) = events(pool, count, bytes: count * 10)
      log.append(buffer, count: count, pool: pool)
    }
    #expect(log.last == 6)
    #expect([0, 1, 2, 3, 4, 6, 7].map { log.reaches(back: $0) } == [true, true, false, true, false, true, false])
    let nothing = log.missed(after: 6, pool: pool)
    #expect(nothing == nil)
    let made = log.missed(after: 1, pool: pool)
    let message = try #require(made)
    // Length, type, first 2, count 5, then 20 and 30 bytes.
    #expect(Array(message.bytes.prefix(4)) == [53, MessageType.events.rawValue, 2, 5])
    #expect(message.count == 54)
    let leased = pool.usage.leasedBuffers
    let again = log.missed(after: 1, pool: pool)
    #expect(again === message)
    #expect(pool.usage.leasedBuffers == leased, "one for all who miss the same")
    let (more, count) = events(pool, 1, bytes: 5)
    log.append(more, count: count, pool: pool)
    #expect(pool.usage.leasedBuffers == leased, "the message of another moment is let go")
    log.removeAll(pool: pool)
    #expect(pool.usage.leasedBuffers == 0)
  }

  @Test func eventsAreKeptUpToACountAndTheirBytes() {
    let pool = BufferPool()
    var log = EventLog(events: 4, bytes: .kib(64))
    for _ in 0..<3 {
      let (buffer, count) = events(pool, 2, bytes: 10)
      log.append(buffer, count: count, pool: pool)
    }
    #expect(!log.reaches(back: 0))
    #expect(log.reaches(back: 2))
    var small = EventLog(events: 1000, bytes: ByteCount(1024))
    for _ in 0..<5 {
      let (buffer, count) = events(pool, 1, bytes: 512)
      small.append(buffer, count: count, pool: pool)
    }
    #expect(small.bytes == 1024)
    #expect(!small.reaches(back: 2))
    #expect(small.reaches(back: 3))
    log.removeAll(pool: pool)
    small.removeAll(pool: pool)
    #expect(pool.usage.leasedBuffers == 0)
  }
}

import Testing
import WireFormat

@testable import RoomEngine

@Suite struct BufferPoolTests {
  @Test func buffersAreLeasedInPowersOfTwoAndUsedAgain() {
    let pool = BufferPool()
    let one = pool.lease(1)
    let other = pool.lease(65)
    #expect((one.capacity, other.capacity) == (64, 128))
    #expect(BufferPool.capacity(for: 64) == 64)
    #expect(BufferPool.capacity(for: 4 << 20) == 4 << 20)
    #expect(pool.usage.leasedBuffers == 2)
    #expect(pool.usage.leasedBytes == 192)
    pool.release(one)
    pool.release(other)
    #expect(pool.usage.leasedBuffers == 0)
    #expect(pool.usage.idleBytes == 192)
    #expect(pool.usage.highWaterBytes == 192)
    let again = pool.lease(100)
    #expect(again === other)
    #expect(again.count == 0)
    #expect(pool.usage.idleBytes == 64)
    pool.release(again)
  }

  @Test func aBufferGoesBackWhenItsLastHolderLetsGo() {
    let pool = BufferPool()
    let buffer = pool.lease(10)
    pool.retain(buffer)
    pool.release(buffer)
    #expect(pool.usage.leasedBuffers == 1)
    pool.release(buffer)
    #expect(pool.usage.leasedBuffers == 0)
  }

  @Test func trimmingGivesIdleMemoryBackAndTheBoundKeepsItSmall() {
    let pool = BufferPool(idleLimit: .kib(1))
    let buffers = (0..<100).map { _ in pool.lease(64) }
    for buffer in buffers { pool.release(buffer) }
    #expect(pool.usage.idleBytes == 1024)
    #expect(pool.usage.highWaterBytes == 6400)
    pool.trim()
    #expect(pool.usage.idleBytes == 0)
    #expect(pool.usage.leasedBytes == 0)
  }

  @Test func aPoolWithALongFreeListDiesQuietly() {
    var pool: BufferPool? = BufferPool(idleLimit: .mib(16))
    let buffers = (0..<200_000).map { _ in pool?.lease(64) }
    for buffer in buffers { if let buffer { pool?.release(buffer) } }
    #expect(pool?.usage.idleBytes == 200_000 * 64)
    withExtendedLifetime(buffers) {}
    pool = nil
  }

  @Test func aSecondReleaseTraps() async {
    await #expect(processExitsWith: .failure) {
      let pool = BufferPool()
      let buffer = pool.lease(10)
      pool.release(buffer)
      pool.release(buffer)
    }
  }
}

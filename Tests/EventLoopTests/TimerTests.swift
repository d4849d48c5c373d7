import EventLoop
import Glibc
import Testing

extension EventLoopTests {
  @Suite struct TimerTests {
    private static let periodNanoseconds: UInt64 = 10_000_000

    @Test("Sixty absolute ticks at 100 Hz don't drift, although every callback wastes time")
    func absoluteSchedule() throws {
      let start = Loop.clock()
      var ticks: UInt64 = 0
      var latenesses: [Int64] = []
      try withLoop { loop in
        var timer: TickTimer?
        let made = try TickTimer(loop: loop) { expirations, now in
          ticks += 1
          let due = start.advanced(byNanoseconds: ticks * Self.periodNanoseconds)
          latenesses.append(Int64(now.nanoseconds) - Int64(due.nanoseconds))
          #expect(expirations == 1)
          if ticks == 60 {
            timer = nil
            return loop.stop()
          }
          usleep(3_000)
          timer?.arm(at: start.advanced(byNanoseconds: (ticks + 1) * Self.periodNanoseconds))
        }
        timer = made
        made.arm(at: start.advanced(byNanoseconds: Self.periodNanoseconds))
      }
      #expect(latenesses.allSatisfy { $0 >= 0 }, "no tick before its time")
      // A relative timer slips by the 3 ms of each callback: its last 20 ticks would all be over 120 ms late. One
      // punctual tick among them proves the schedule, whatever a busy machine does to the others.
      #expect(latenesses.suffix(20).contains { $0 < 60_000_000 }, "\(latenesses)")
    }

    @Test("A periodic tick timer counts the periods a busy loop missed")
    func missedPeriods() throws {
      var counted: UInt64 = 0
      var calls = 0
      let start = Loop.clock()
      try withLoop { loop in
        let timer = try TickTimer(loop: loop) { expirations, now in
          counted += expirations
          calls += 1
          if calls == 1 { usleep(55_000) }
          if calls == 2 {
            #expect(expirations >= 5)
            #expect(counted <= now.nanoseconds(since: start) / Self.periodNanoseconds)
            loop.stop()
          }
        }
        timer.arm(at: start.advanced(byNanoseconds: Self.periodNanoseconds), periodNanoseconds: Self.periodNanoseconds)
      }
    }

    @Test("A deadline in the past, even at zero, fires at once; a disarmed one never")
    func pastAndDisarmed() throws {
      try withLoop { loop in
        let silent = try TickTimer(loop: loop) { _, _ in Issue.record("a disarmed timer fired") }
        silent.arm(at: Loop.clock())
        silent.disarm()
        let timer = try TickTimer(loop: loop) { _, _ in loop.stop() }
        timer.arm(at: MonotonicTime(nanoseconds: 0))
      }
    }

    @Test("A tick timer closed inside its callback ticks no more")
    func closeInsideTick() throws {
      var ticks = 0
      try withLoop { loop in
        var timer: TickTimer?
        timer = try TickTimer(loop: loop) { _, _ in
          ticks += 1
          timer?.close()
          timer?.close()
          timer?.arm(at: Loop.clock())
          timer = nil
        }
        timer?.arm(at: Loop.clock(), periodNanoseconds: 1_000_000)
        let end = try Timer(loop: loop) { loop.stop() }
        end.start(afterMilliseconds: 30)
      }
      #expect(ticks == 1)
    }

    @Test("A coarse timer is never early, not even when started late in a long callback")
    func coarse() throws {
      try withLoop { loop in
        var start = Loop.clock()
        let timer = try Timer(loop: loop) {
          #expect(Loop.clock().nanoseconds(since: start) >= 19_000_000)
          loop.stop()
        }
        loop.enqueue {
          usleep(30_000)
          start = Loop.clock()
          timer.start(afterMilliseconds: 20)
        }
      }
    }

    @Test("A periodic coarse timer repeats until stopped in its own callback")
    func periodic() throws {
      var calls = 0
      try withLoop { loop in
        var timer: Timer?
        timer = try Timer(loop: loop) {
          calls += 1
          guard calls == 3 else { return }
          timer?.stop()
          timer = nil
        }
        timer?.start(everyMilliseconds: 2)
        let end = try Timer(loop: loop) { loop.stop() }
        end.start(afterMilliseconds: 60)
      }
      #expect(calls == 3)
    }

    @Test("The loop's time follows the clock, and stands still within a callback only for a moment")
    func loopTime() throws {
      try withLoop { loop in
        let before = Loop.clock()
        let timer = try Timer(loop: loop) {
          #expect(loop.now.nanoseconds(since: before) > 5_000_000)
          #expect(loop.now <= Loop.clock())
          loop.stop()
        }
        timer.start(afterMilliseconds: 10)
      }
    }
  }

  @Suite struct SignalTests {
    @Test("A signal arrives as a callback and doesn't end the process")
    func signal() throws {
      var received: [Int32] = []
      try withLoop { loop in
        _ = try SignalSource(loop: loop, signal: SIGUSR1) { number in
          received.append(number)
          loop.stop()
        }
        kill(getpid(), SIGUSR1)
      }
      #expect(received == [SIGUSR1])
    }
  }

  @Suite struct LoopThreadTests {
    private struct Refusal: Error {}

    @Test("What set-up throws ends the thread and comes back to the owner, and nothing stays open")
    func setUpFails() throws {
      let before = openDescriptors()
      #expect(throws: Refusal.self) {
        try LoopThread.start(name: "refusing") { loop in
          _ = try Timer(loop: loop) {}
          throw Refusal()
        }
      }
      #expect(openDescriptors() == before)
    }

    @Test("The thread has its name and its core")
    func nameAndCore() throws {
      // The kernel's own view: core numbers this process may use.
      let core = try #require((0..<1_024).first { core in (try? start(on: core)) != nil })
      let started = try LoopThread.start(name: "a-name-longer-than-15", core: core) { _ in
        (threadName(), affinityMaskCores())
      }
      started.thread.stop()
      started.thread.join()
      started.thread.join()
      #expect(started.value.0 == "a-name-longer-t")
      #expect(started.value.1 == 1)
    }

    @Test("A core that doesn't exist is an error that names it")
    func noSuchCore() throws {
      let error = #expect(throws: LoopError.self) { try start(on: 99_999) }
      #expect(error?.description == "pthread_setaffinity_np core 99999: EINVAL invalid argument")
    }

    private func start(on core: Int) throws {
      let started = try LoopThread.start(name: "core", core: core) { _ in }
      started.thread.stop()
      started.thread.join()
    }
  }
}

private func threadName() -> String {
  guard let file = fopen("/proc/thread-self/comm", "re") else { return "" }
  defer { fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 64)
  let count = fread(&bytes, 1, bytes.count, file)
  return String(decoding: bytes[..<count].filter { $0 != 10 }, as: UTF8.self)
}

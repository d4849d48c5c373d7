import EventLoop
import Glibc
import Testing

extension EventLoopTests {
  @Suite struct MailboxTests {
    private struct Note: Sendable {
      var sender: Int
      var number: Int
    }

    @Test("Four threads post 100,000 messages each: none is lost, and each sender's order is kept")
    func manySenders() throws {
      let senders = 4
      let perSender = 100_000
      var next = [Int](repeating: 0, count: senders)
      var outOfOrder = 0
      var threads: [LoopThread] = []
      try withLoop(alone: false) { loop in
        var missing = senders * perSender
        let mailbox = try Mailbox<Note>(loop: loop) { note in
          if next[note.sender] != note.number { outOfOrder += 1 }
          next[note.sender] += 1
          missing -= 1
          if missing == 0 { loop.stop() }
        }
        for sender in 0..<senders {
          let started = try LoopThread.start(name: "sender-\(sender)") { other in
            other.mailbox.post { other in
              for number in 0..<perSender { mailbox.post(Note(sender: sender, number: number)) }
              other.stop()
            }
          }
          threads.append(started.thread)
        }
      }
      threads.forEach { $0.join() }
      #expect(next == [Int](repeating: perSender, count: senders))
      #expect(outOfOrder == 0)
    }

    @Test("What was posted before the close is delivered; what comes after is refused")
    func close() throws {
      var delivered: [Int] = []
      try withLoop { loop in
        let mailbox = try Mailbox<Int>(loop: loop) { delivered.append($0) }
        #expect(mailbox.post(1))
        #expect(mailbox.post(2))
        mailbox.close()
        mailbox.close()
        #expect(!mailbox.post(3))
        loop.stop()
      }
      #expect(delivered == [1, 2])
    }

    @Test("A mailbox closed by its own handler still delivers the rest of the batch")
    func closeInsideHandler() throws {
      var delivered: [Int] = []
      try withLoop { loop in
        var mailbox: Mailbox<Int>?
        mailbox = try Mailbox<Int>(loop: loop) { number in
          delivered.append(number)
          mailbox?.close()
          mailbox = nil
          loop.stop()
        }
        for number in 1...3 { mailbox?.post(number) }
      }
      #expect(delivered == [1, 2, 3])
    }

    @Test("What was posted while a batch is delivered comes behind it, also when a handler closes the mailbox")
    func closeInsideHandlerKeepsTheOrder() throws {
      var delivered: [Int] = []
      try withLoop { loop in
        var mailbox: Mailbox<Int>?
        mailbox = try Mailbox<Int>(loop: loop) { number in
          delivered.append(number)
          guard number == 1 else { return }
          mailbox?.post(4)
          mailbox?.close()
          loop.stop()
        }
        for number in 1...3 { mailbox?.post(number) }
      }
      #expect(delivered == [1, 2, 3, 4])
    }

    @Test("A mailbox that outlives its loop refuses posts")
    func outlivesLoop() throws {
      let started = try LoopThread.start(name: "short") { loop in try Mailbox<Int>(loop: loop) { _ in } }
      #expect(started.value.post(1))
      started.thread.stop()
      started.thread.join()
      #expect(!started.value.post(2))
      #expect(!started.thread.mailbox.post { _ in })
    }
  }
}

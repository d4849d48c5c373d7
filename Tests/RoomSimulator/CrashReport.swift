import Glibc

/// Says which seed a trap of the engine belongs to: a violated precondition ends the whole process.
enum CrashReport {
  /// Holds the seed that a thread runs.
  nonisolated(unsafe) private static var key = pthread_key_t()  // written before any other thread exists

  static func install() {
    pthread_key_create(&key, nil)
    for signal in [SIGILL, SIGTRAP, SIGSEGV, SIGABRT] {
      var former = sigaction()
      // Swift's own report, when it is switched on, says more.
      guard sigaction(signal, nil, &former) == 0, former.__sigaction_handler.sa_handler == nil else { continue }
      Glibc.signal(signal, report)
    }
  }

  static func note(seed: UInt64) { pthread_setspecific(key, UnsafeRawPointer(bitPattern: UInt(seed))) }

  /// Only what may be called within a signal handler: no allocation.
  private static let report: @convention(c) (Int32) -> Void = { number in
    let seed = UInt(bitPattern: pthread_getspecific(key))
    var digits: InlineArray<20, UInt8> = InlineArray(repeating: 0)
    var (rest, first) = (seed, 20)
    repeat {
      first -= 1
      digits[first] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    } while rest > 0
    write("\nthe engine trapped; replay it with: make simulate SEED=")
    for index in first..<20 {
      var digit = digits[index]
      _ = Glibc.write(2, &digit, 1)
    }
    write("\n")
    Glibc.signal(number, SIG_DFL)
    raise(number)
  }

  private static func write(_ text: StaticString) { _ = Glibc.write(2, text.utf8Start, text.utf8CodeUnitCount) }
}

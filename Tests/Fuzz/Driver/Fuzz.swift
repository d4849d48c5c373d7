import FuzzTargets
import Glibc

/// `FUZZ_TARGET=name Fuzz [libFuzzer's options] CORPUS...`
///
/// The target comes by the environment because the fuzzer starts itself again to merge and to minimise.
@main enum Fuzz {
  static func main() {
    guard let target = getenv("FUZZ_TARGET").flatMap({ FuzzTarget(rawValue: String(cString: $0)) }) else {
      print("FUZZ_TARGET is one of: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
      exit(64)
    }
    chosen = target
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    exit(runDriver(&count, &arguments, test))
  }
}

// Set once, before the fuzzer starts, and only read by it afterwards.
nonisolated(unsafe) private var chosen = FuzzTarget.messages

private let test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32 = { bytes, count in
  let faults = chosen.faults(Array(UnsafeBufferPointer(start: bytes, count: count)))
  guard faults.isEmpty else {
    let text = Array(faults.map { "fault: \($0)\n" }.joined().utf8)
    _ = write(STDERR_FILENO, text, text.count)
    abort()
  }
  return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

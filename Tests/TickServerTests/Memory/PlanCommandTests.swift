import Foundation
import RoomEngine
import Testing

@testable import TickServer

@Suite("tickserver plan")
struct PlanCommandTests {
  private struct Printed: Decodable {
    struct Line: Decodable {
      let name: String
      let count, eachBytes, totalBytes: Int
      let kernel: Bool
    }
    let lines: [Line]
    let processBytes, kernelBytes, totalBytes: Int
    let limitBytes: Int
    let fits: Bool
  }

  private func run(_ arguments: String...) throws -> (code: Int32, output: String, error: String) {
    let outcome = ServerProgram.plan(ServerConfiguration(), arguments, environment: [:])
    guard case .exit(let code, let output, let error) = outcome else { throw CocoaError(.featureUnsupported) }
    return (code, output, error)
  }

  @Test("prints a line for each part, the sums, where the limit comes from and a verdict")
  func table() throws {
    let run = try run("plan", "--set", "memoryLimit=512MiB", "--set", "maxRooms=7", "--loops", "1")
    #expect(run.code == 0)
    let lines = run.output.split(separator: "\n")
    #expect(lines[0].hasPrefix("what"))
    #expect(lines.contains { $0.hasPrefix("rooms  ") && $0.contains("  7  ") })
    #expect(lines.contains("limit     512MiB (memoryLimit)"))
    #expect(lines.last == "fits")
  }

  @Test("over the limit ends with 78, the arithmetic and what to change")
  func over() throws {
    let run = try run("plan", "--set", "memoryLimit=128MiB", "--set", "maxConnections=20000")
    #expect(run.code == 78)
    #expect(run.output.contains("over the limit: the memory plan is "))
    #expect(run.output.contains("memoryLimit 128MiB -> "))
  }

  @Test("prints JSON whose lines make the sum; settings count wherever the flags stand")
  func json() throws {
    for arguments in [
      ["plan", "--json", "--set", "memoryLimit=512MiB"], ["--set", "memoryLimit=512MiB", "plan", "--json"],
    ] {
      guard
        case .exit(0, let output, "") = ServerProgram.plan(ServerConfiguration(), arguments, environment: [:])
      else {
        Issue.record("\(arguments)")
        continue
      }
      let plan = try JSONDecoder().decode(Printed.self, from: Data(output.utf8))
      #expect(plan.limitBytes == 512 << 20, "\(arguments)")
      #expect(plan.lines.reduce(0) { $0 + $1.count * $1.eachBytes } == plan.totalBytes)
      #expect(plan.processBytes + plan.kernelBytes == plan.totalBytes)
      #expect(plan.fits)
    }
  }

  @Test("is left alone by `serve`, which is also what no command means")
  func serve() throws {
    for arguments in [["serve", "--set", "maxRooms=9"], ["--set", "maxRooms=9"], ["--set", "maxRooms=9", "serve"]] {
      guard case .serve(let configuration, _) = ServerProgram.plan(ServerConfiguration(), arguments, environment: [:])
      else {
        Issue.record("\(arguments)")
        continue
      }
      #expect(configuration.maxRooms == 9, "\(arguments)")
    }
  }

  @Test("wrong usage and wrong settings end as they do without a command")
  func faults() throws {
    #expect(try run("plan", "--bogus").code == 64)
    #expect(try run("plan", "--set", "maxRooms=0").code == 78)
    #expect(try run("--set", "memoryLimit=0", "--check-config").code == 78)
    #expect(try run("--set", "memoryLimit=7e8", "--check-config").error.contains("memoryLimit"))
    #expect(try run("--set", "laggardBudget=1KiB", "--check-config").error.contains("256KiB"))
  }

  @Test("the program does not start with a plan over its limit: 78, and the sum on standard error")
  func refusal() throws {
    let server = try ChildProcess.tickserver(["--set", "memoryLimit=40MiB"])
    let (code, text) = try server.exit()
    #expect(code == 78)
    #expect(text.contains("error: the memory plan is "))
    #expect(text.contains("maxConnections 1000"))
    #expect(text.contains("memoryLimit 40MiB -> "))
    #expect(!text.contains("listening"))
  }

  @Test("sizes read well")
  func sizes() {
    #expect(sizeText(1023) == "1023B")
    #expect(sizeText(1024) == "1KiB")
    #expect(sizeText(1536 * 1024) == "1.5MiB")
    #expect(sizeText(-3 << 29) == "-1.5GiB")
  }
}

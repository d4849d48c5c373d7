// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
  name: "tickserver",
  products: [
    .library(name: "TickServer", targets: ["TickServer"]),
    .library(name: "TickClient", targets: ["TickClient"]),
    .library(name: "RoomTestKit", targets: ["RoomTestKit"]),
    .executable(name: "tickserver", targets: ["TickServerCommand"]),
    .executable(name: "botswarm", targets: ["BotSwarmCommand"]),
    .executable(name: "arena", targets: ["ArenaServer"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    // libuv, the only C library of the data path. Missing? `apt-get install libuv1-dev`.
    .systemLibrary(name: "CUV", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"]), .brew(["libuv"])]),

    // The pure core: no I/O, no clock, no randomness, no Foundation.
    // Rounding is the C library's; a program that imports neither Glibc nor Foundation does not link it by itself.
    .target(
      name: "WireFormat", swiftSettings: settings, linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
    // One instruction, without effects.
    .target(name: "CPrefetch"),
    .target(name: "RoomEngine", dependencies: ["WireFormat", "CPrefetch"], swiftSettings: settings),
    .target(name: "ClientCore", dependencies: ["WireFormat"], swiftSettings: settings),

    // For error messages: the known word that was probably meant.
    .target(name: "Spelling", swiftSettings: settings),

    // The shells.
    .target(name: "EventLoop", dependencies: ["CUV", "CPrefetch"], swiftSettings: settings),
    .target(
      name: "TickServer",
      dependencies: [
        "RoomEngine", "WireFormat", "EventLoop", "CPrefetch", "Spelling", "Yams",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        // The admin port only; games are served by EventLoop.
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: settings),
    .target(name: "TickClient", dependencies: ["ClientCore", "WireFormat", "EventLoop"], swiftSettings: settings),
    .target(
      name: "BotSwarm",
      dependencies: [
        "ClientCore", "WireFormat", "EventLoop", "Spelling",
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      swiftSettings: settings),

    // The programs.
    .executableTarget(name: "TickServerCommand", dependencies: ["TickServer"], swiftSettings: settings),
    .executableTarget(
      name: "BotSwarmCommand",
      dependencies: ["BotSwarm", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: settings),

    // The example game and the kit that tests games without sockets.
    .target(
      name: "RoomTestKit", dependencies: ["RoomEngine", "ClientCore", "WireFormat"], swiftSettings: settings),
    .target(
      name: "ArenaShared", dependencies: ["WireFormat"], path: "Examples/Arena/Shared", swiftSettings: settings),
    .target(
      name: "ArenaGame", dependencies: ["ArenaShared", "TickServer"], path: "Examples/Arena/Game",
      swiftSettings: settings),
    .target(
      name: "ArenaBots", dependencies: ["ArenaShared", "WireFormat"], path: "Examples/Arena/Bots",
      swiftSettings: settings),
    .executableTarget(
      name: "ArenaServer", dependencies: ["ArenaGame", "TickServer"], path: "Examples/Arena/Server",
      swiftSettings: settings),

    // Development only: writes Tests/Vectors (`make vectors`).
    .executableTarget(name: "VectorGenerator", dependencies: ["WireFormat"], swiftSettings: settings),
    // Tests only: counts the heap allocations of a thread by overriding malloc; never link it into a program.
    .target(name: "CAllocationCounter"),

    // Development only: random rooms from seeds (`make simulate`).
    .target(
      name: "RoomSimulation", dependencies: ["RoomTestKit", "RoomEngine", "ClientCore", "WireFormat"],
      path: "Tests/RoomSimulation", swiftSettings: settings),
    .executableTarget(
      name: "RoomSimulator",
      dependencies: [
        "RoomSimulation", "RoomEngine", "WireFormat",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/RoomSimulator", swiftSettings: settings),

    // Tests only: a server whose matches end by themselves (`scripts/immunity/lame_duck.py`).
    .executableTarget(
      name: "MatchServer", dependencies: ["TickServer"], path: "Tests/MatchServer", swiftSettings: settings),

    .executableTarget(
      name: "FrameCost", dependencies: ["BenchmarkUnits", "BotSwarm", "WireFormat"], path: "Benchmarks/FrameCost",
      swiftSettings: settings),
    // Pieces of the server's work, each to be counted or timed by itself.
    .target(
      name: "BenchmarkUnits", dependencies: ["EventLoop", "RoomEngine", "TickServer", "WireFormat"],
      path: "Benchmarks/Units",
      swiftSettings: settings),
    .executableTarget(
      name: "InstructionCount", dependencies: ["BenchmarkUnits"], path: "Benchmarks/Instructions/Program",
      swiftSettings: settings),
    .executableTarget(
      name: "MicroBenchmarks", dependencies: ["BenchmarkUnits", "CAllocationCounter"], path: "Benchmarks/Micro",
      swiftSettings: settings),
    // The two failures, side by side (`make bench-failures`): the servers that fail, and clients for all of them.
    .target(
      name: "NaiveProtocol", path: "Benchmarks/Failures/NaiveProtocol", swiftSettings: settings),
    .executableTarget(
      name: "NaiveServer",
      dependencies: [
        "EventLoop", "NaiveProtocol", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/Failures/NaiveServer", swiftSettings: settings),
    .executableTarget(
      name: "FailureClients",
      dependencies: [
        "BotSwarm", "ClientCore", "EventLoop", "NaiveProtocol", "WireFormat",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/Failures/Clients", swiftSettings: settings),
    // What `scripts/immunity/sdk_memory.py` watches.
    .executableTarget(
      name: "SleepyClient", dependencies: ["TickClient"], path: "Tests/SleepyClient", swiftSettings: settings),
    .executableTarget(
      name: "ExampleClient", dependencies: ["TickClient"], path: "Examples/Client", swiftSettings: settings),

    .testTarget(
      name: "WireFormatTests", dependencies: ["WireFormat", "VectorGenerator", "CAllocationCounter"],
      swiftSettings: settings),
    .testTarget(
      name: "RoomEngineTests",
      dependencies: [
        "RoomEngine", "WireFormat", "ClientCore", "RoomTestKit", "RoomSimulation", "CAllocationCounter",
      ],
      swiftSettings: settings),
    .testTarget(name: "ClientCoreTests", dependencies: ["ClientCore", "WireFormat"], swiftSettings: settings),
    .testTarget(
      name: "TickClientTests", dependencies: ["TickClient", "ClientCore", "WireFormat", "EventLoop"],
      swiftSettings: settings),
    .testTarget(name: "EventLoopTests", dependencies: ["EventLoop"], swiftSettings: settings),
    .testTarget(
      name: "TickServerTests",
      dependencies: [
        "TickServer", "TickServerCommand", "RoomEngine", "EventLoop", "WireFormat",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "BotSwarmTests",
      dependencies: [
        "BotSwarm", "TickServer", "RoomEngine", "EventLoop", "WireFormat",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ArenaTests",
      dependencies: [
        "ArenaBots", "ArenaGame", "ArenaShared", "ClientCore", "RoomEngine", "RoomTestKit", "TickServer", "WireFormat",
      ],
      swiftSettings: settings),

    // Rigs only: a game that allocates more than it declares (`scripts/immunity/memory_guard.py`).
    .executableTarget(
      name: "HungryGame", dependencies: ["TickServer"], path: "Tests/HungryGame", swiftSettings: settings),

    // What the fuzzer drives, and a test that replays its corpus.
    .target(
      name: "FuzzTargets",
      dependencies: ["RoomEngine", "RoomTestKit", "ClientCore", "TickServer", "WireFormat"],
      path: "Tests/Fuzz/Targets", swiftSettings: settings),
    .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Replay", swiftSettings: settings),
  ]
)

// Links only with the fuzzer's runtime: `make fuzz` sets the variable.
if Context.environment["TICKSERVER_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "Fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver", swiftSettings: settings))
}

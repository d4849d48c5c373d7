import EventLoop
import WireFormat

/// Sits between bots and a server and spoils what the server says to one of them: a check that never fails proves
/// nothing.
///
/// Confined to its loop. Messages pass whole; what `tamper` returns goes to the client in place of the message.
final class TamperingProxy {
  /// A message of the server: its type and body. Returns the messages to send instead.
  typealias Tamper = @Sendable (_ frame: Int, _ type: UInt8, _ body: [UInt8]) -> [[UInt8]]

  private var listener: Listener?
  private var pairs: [ProxyPair] = []

  private init() {}

  /// Starts a proxy that spoils the first connection.
  static func start(to port: UInt16, tamper: @escaping Tamper) throws -> (thread: LoopThread, port: UInt16) {
    let started = try LoopThread.start(name: "proxy") { loop in
      let proxy = TamperingProxy()
      let listener = try Listener(
        loop: loop, host: "127.0.0.1", port: 0,
        onAccept: { stream in
          let pair = ProxyPair(client: stream, tamper: proxy.pairs.isEmpty ? tamper : nil)
          proxy.pairs.append(pair)
          pair.connect(on: loop, port: port)
        }, onError: { _ in })
      proxy.listener = listener
      return listener.port
    }
    return (started.thread, started.value)
  }
}

/// One client and its connection to the server.
private final class ProxyPair: StreamDelegate {
  private let client: Stream
  private var server: Stream?
  private let tamper: TamperingProxy.Tamper?
  private var assembler = MessageAssembler(limit: WireLimits.serverMessageBytes)
  private var frames = 0
  private var toClient: [UInt8] = []
  private var toServer: [UInt8] = []
  private var inFlight: [ObjectIdentifier: UnsafeMutableRawBufferPointer] = [:]

  init(client: Stream, tamper: TamperingProxy.Tamper?) {
    self.client = client
    self.tamper = tamper
  }

  func connect(on loop: Loop, port: UInt16) {
    Stream.connect(loop: loop, host: "127.0.0.1", port: port) { result in
      guard case .success(let server) = result else { return self.client.close() }
      self.server = server
      server.delegate = self
      self.client.delegate = self
      server.startReading()
      self.client.startReading()
    }
  }

  func stream(_ stream: Stream, didRead bytes: UnsafeRawBufferPointer) {
    if stream === client {
      toServer.append(contentsOf: bytes)
    } else if let tamper {
      spoil(bytes, tamper)
    } else {
      toClient.append(contentsOf: bytes)
    }
    flush()
  }

  private func spoil(_ bytes: UnsafeRawBufferPointer, _ tamper: TamperingProxy.Tamper) {
    _ = try? assembler.feed(bytes.assumingMemoryBound(to: UInt8.self).span) { type, body in
      if type == MessageType.frame.rawValue { frames += 1 }
      for replacement in tamper(frames, type, (0..<body.count).map { body[$0] }) {
        toClient.append(contentsOf: varint(replacement.count + 1) + [type] + replacement)
      }
      return .proceed
    }
  }

  private func varint(_ value: Int) -> [UInt8] {
    value < 128 ? [UInt8(value)] : [UInt8(value & 127) | 128] + varint(value >> 7)
  }

  private func flush() {
    send(&toClient, on: client)
    if let server { send(&toServer, on: server) }
  }

  private func send(_ bytes: inout [UInt8], on stream: Stream) {
    guard stream.isOpen, !stream.writeInFlight, !bytes.isEmpty else { return }
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    copy.copyBytes(from: bytes)
    bytes = []
    inFlight[ObjectIdentifier(stream)] = copy
    if (try? stream.write(UnsafeRawBufferPointer(copy))) == nil { release(stream) }
  }

  private func release(_ stream: Stream) { inFlight.removeValue(forKey: ObjectIdentifier(stream))?.deallocate() }

  func stream(_ stream: Stream, didCompleteWrite error: LoopError?) {
    release(stream)
    flush()
  }

  func streamDidEnd(_ stream: Stream, _ end: StreamEnd) {
    client.close()
    server?.close()
  }
}

import EventLoop

/// One `GET /ledger` over a connection of its own: what an HTTP client does at the least. Confined to its loop.
final class LedgerRequest: StreamDelegate {
  private static let timeoutMilliseconds: UInt64 = 2_000
  /// A ledger of hundreds of loops is smaller.
  private static let mostBytes = 1024 * 1024

  private let endpoint: Endpoint
  private var completion: ((Result<LedgerSnapshot, CensusError>) -> Void)?
  private let request: UnsafeMutableRawBufferPointer
  private var attempt: ConnectAttempt?
  private var stream: Stream?
  private var timer: Timer?
  private var answer: [UInt8] = []

  private init(_ endpoint: Endpoint, _ completion: @escaping (Result<LedgerSnapshot, CensusError>) -> Void) {
    self.endpoint = endpoint
    self.completion = completion
    let text = "GET /ledger HTTP/1.1\r\nHost: \(endpoint)\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    request = .allocate(byteCount: text.utf8.count, alignment: 1)
    request.copyBytes(from: text.utf8)
  }

  deinit { request.deallocate() }

  /// Asks once; `completion` is called once, never from within this call.
  static func send(
    to endpoint: Endpoint, on loop: Loop, completion: @escaping (Result<LedgerSnapshot, CensusError>) -> Void
  ) throws(LoopError) {
    let request = LedgerRequest(endpoint, completion)
    let timer = try Timer(loop: loop) { request.finish(.failure(request.error("no answer within 2 s"))) }
    request.timer = timer
    timer.start(afterMilliseconds: timeoutMilliseconds)
    request.attempt = Stream.connect(loop: loop, host: endpoint.host, port: endpoint.port) { result in
      request.attempt = nil
      switch result {
      case .success(let stream): request.connected(stream)
      case .failure(let error): request.finish(.failure(request.error("\(error); is the server's admin port on?")))
      }
    }
  }

  /// Asks once, on a loop of its own.
  static func wait(for endpoint: Endpoint) throws -> LedgerSnapshot {
    let loop = try Loop()
    var answer: Result<LedgerSnapshot, CensusError>?
    do {
      try send(to: endpoint, on: loop) { result in
        answer = result
        loop.stop()
      }
    } catch {
      loop.stop()
      loop.run()
      throw error
    }
    loop.run()
    return try (answer ?? .failure(CensusError("no answer"))).get()
  }

  private func connected(_ stream: Stream) {
    guard completion != nil else { return stream.close() }
    self.stream = stream
    stream.delegate = self
    stream.startReading()
    do throws(LoopError) { try stream.write(UnsafeRawBufferPointer(request)) } catch {
      finish(.failure(self.error("\(error)")))
    }
  }

  func stream(_ stream: Stream, didRead bytes: UnsafeRawBufferPointer) {
    answer.append(contentsOf: bytes)
    if answer.count > Self.mostBytes { return finish(.failure(error("more than 1 MiB"))) }
    if let response = HTTPResponse(answer, isWhole: false) { take(response) }
  }

  func streamDidEnd(_ stream: Stream, _ end: StreamEnd) {
    guard let response = HTTPResponse(answer, isWhole: true) else {
      return finish(.failure(error("the answer is not HTTP")))
    }
    take(response)
  }

  func stream(_ stream: Stream, didCompleteWrite error: LoopError?) {}

  private func take(_ response: HTTPResponse) {
    guard response.status == 200 else { return finish(.failure(error("status \(response.status)"))) }
    do throws(CensusError) {
      finish(.success(try LedgerSnapshot(json: response.body)))
    } catch {
      finish(.failure(self.error("\(error)")))
    }
  }

  private func error(_ text: String) -> CensusError { CensusError("http://\(endpoint)/ledger: \(text)") }

  private func finish(_ result: Result<LedgerSnapshot, CensusError>) {
    guard let completion else { return }
    self.completion = nil
    attempt?.cancel()
    stream?.close()
    timer?.close()
    timer = nil
    completion(result)
  }
}

/// Status and body of an answer.
struct HTTPResponse {
  let status: Int
  let body: [UInt8]

  /// Nil while bytes are missing, or when they are not an answer.
  /// - Parameter isWhole: No more bytes will come.
  init?(_ bytes: [UInt8], isWhole: Bool) {
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
    let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
    guard let first = lines.first, first.hasPrefix("HTTP/1."),
      let status = first.split(separator: " ").dropFirst().first
    else { return nil }
    let length = lines.dropFirst().compactMap { line -> Int? in
      let sides = line.split(separator: ":", maxSplits: 1)
      guard sides.count == 2, sides[0].lowercased() == "content-length" else { return nil }
      return Int(sides[1].filter { $0 != " " })
    }.first
    let rest = bytes[end.upperBound...]
    guard isWhole || length.map({ rest.count >= $0 }) ?? false, let number = Int(status) else { return nil }
    self.status = number
    body = Array(rest.prefix(length ?? rest.count))
  }
}

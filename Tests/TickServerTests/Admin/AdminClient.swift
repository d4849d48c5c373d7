import Foundation
import Glibc

/// What an admin port answered.
struct AdminAnswer {
  let status: Int
  let head: String
  let body: String

  /// The body as a JSON object.
  func object() throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(body.utf8))
    guard let object = value as? [String: Any] else { throw ClientFault("not an object: \(body)") }
    return object
  }
}

/// One connection to an admin port, blocking; every wait is bounded.
final class AdminClient {
  private let descriptor: Int32

  /// - Parameter receiveBytes: the socket's receive buffer, for peers that read little.
  init(port: Int, receiveBytes: Int? = nil) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    if var size = receiveBytes.map(Int32.init) {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var patience = timeval(tv_sec: Int(TestClient.patienceSeconds), tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw ClientFault("connect: errno \(errno)") }
  }

  deinit { Glibc.close(descriptor) }

  /// False when the other side has closed.
  @discardableResult
  func send(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }

  /// All that comes until the other side closes.
  func readToEnd() throws -> String {
    var received: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = recv(descriptor, &chunk, chunk.count, 0)
      if count > 0 { received += chunk[..<count] }
      if count == 0 || count < 0 && errno == ECONNRESET { return String(decoding: received, as: UTF8.self) }
      if count < 0 { throw ClientFault("still open after \(TestClient.patienceSeconds) s") }
    }
  }

  /// Asks once, as a scraper does.
  static func get(_ path: String, port: Int, method: String = "GET") throws -> AdminAnswer {
    let client = try AdminClient(port: port)
    client.send("\(method) \(path) HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n\r\n")
    let text = try client.readToEnd()
    guard let end = text.range(of: "\r\n\r\n"),
      let status = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { throw ClientFault("no answer: \(text)") }
    return AdminAnswer(status: status, head: String(text[..<end.lowerBound]), body: String(text[end.upperBound...]))
  }
}

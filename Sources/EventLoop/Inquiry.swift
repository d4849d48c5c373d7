import CUV
import Glibc

/// One question and its answer over a connection of its own, without a loop: for a program that asks and ends. Blocks.
package struct Inquiry {
  /// An IPv4 or IPv6 literal.
  package let host: String
  package let port: UInt16
  /// For connecting, asking and the whole answer.
  package let patienceMilliseconds: UInt64
  /// Longer answers are cut off.
  package let mostBytes: Int

  package init(host: String, port: UInt16, patienceMilliseconds: UInt64, mostBytes: Int) {
    self.host = host
    self.port = port
    self.patienceMilliseconds = patienceMilliseconds
    self.mostBytes = mostBytes
  }

  /// Sends `question` and reads until the other side closes.
  package func ask(_ question: [UInt8]) throws(LoopError) -> [UInt8] {
    guard let address = sockaddr_storage.literal(host, port: port) else {
      throw LoopError("connect", endpoint(host, port), code: UV_EINVAL.rawValue)
    }
    let end = uv_hrtime() + patienceMilliseconds * 1_000_000
    let socket = socket(address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    try check(Int(socket), "socket")
    defer { close(socket) }
    try limit(socket, until: end)
    try check(Int(address.withSocketAddress { connect(socket, $0, address.byteCount) }), "connect")
    // A question is smaller than a send buffer: it is taken whole.
    try check(send(socket, question, question.count, Int32(MSG_NOSIGNAL)), "send")
    return try read(socket, until: end)
  }

  private func read(_ socket: Int32, until end: UInt64) throws(LoopError) -> [UInt8] {
    var answer: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while answer.count < mostBytes {
      try limit(socket, until: end)
      let count = recv(socket, &chunk, min(chunk.count, mostBytes - answer.count), 0)
      try check(count, "recv")
      if count == 0 { break }
      answer += chunk[..<count]
    }
    return answer
  }

  /// The kernel ends each call by then; a connect as well.
  private func limit(_ socket: Int32, until end: UInt64) throws(LoopError) {
    let now = uv_hrtime()
    guard now < end else { throw LoopError("wait for", endpoint(host, port), code: UV_ETIMEDOUT.rawValue) }
    // Zero would mean forever.
    let microseconds = max(1, (end - now) / 1000)
    var time = timeval(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      try check(
        Int(setsockopt(socket, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))), "setsockopt")
    }
  }

  private func check(_ result: Int, _ call: String) throws(LoopError) {
    guard result < 0 else { return }
    let timedOut = errno == EAGAIN || errno == EINPROGRESS
    throw LoopError(call, endpoint(host, port), code: timedOut ? UV_ETIMEDOUT.rawValue : -errno)
  }
}

import CUV

/// A failed system call: which call, on what, and why.
///
/// Prints as `bind 127.0.0.1:80: EACCES permission denied`.
package struct LoopError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The call that failed, by its usual name: `bind`, `connect`, `write`.
  package let call: String
  /// What it was called on (an address, a signal); empty where the caller knows it anyway.
  package let subject: String
  /// The negative number libuv reports: `-errno` for system calls.
  package let code: Int32

  package init(_ call: String, _ subject: String = "", code: Int32) {
    self.call = call
    self.subject = subject
    self.code = code
  }

  /// The error's symbol, such as `EADDRINUSE`.
  package var name: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      guard let base = buffer.baseAddress else { return "" }
      return String(cString: uv_err_name_r(code, base, buffer.count))
    }
  }

  /// The error in words, such as `address already in use`.
  package var text: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
      guard let base = buffer.baseAddress else { return "" }
      return String(cString: uv_strerror_r(code, base, buffer.count))
    }
  }

  /// True for work ended by a close or a stop on this side, which is no fault of the peer or the system.
  package var isCancelled: Bool { code == UV_ECANCELED.rawValue }

  package var description: String {
    subject.isEmpty ? "\(call): \(name) \(text)" : "\(call) \(subject): \(name) \(text)"
  }

  /// Turns a libuv result into a thrown error.
  static func check(_ result: Int32, _ call: String, _ subject: String = "") throws(LoopError) {
    if result < 0 { throw LoopError(call, subject, code: result) }
  }
}

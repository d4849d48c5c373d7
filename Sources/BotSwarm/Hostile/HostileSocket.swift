import EventLoop
import Glibc

/// What hostile bots do to their sockets that no honest client would.
enum HostileSocket {
  /// The smallest that Linux takes; it counts it twice.
  static let tinyBufferBytes = 2_048

  private struct Instruction {
    var code: UInt16 = 0x06  // return a constant: how many bytes of the packet to keep
    var ifTrue: UInt8 = 0
    var ifFalse: UInt8 = 0
    var constant: UInt32 = 0
  }

  private struct Program {
    var count: UInt16
    var instructions: UnsafeMutablePointer<Instruction>
  }

  /// Makes the kernel drop every packet that comes for the socket, before TCP sees it: nothing is acknowledged any
  /// more, as when the peer's machine lost power. False where the system does not allow it.
  static func deafen(_ descriptor: Int32) -> Bool {
    var dropAll = Instruction()
    return withUnsafeMutablePointer(to: &dropAll) { instruction in
      var program = Program(count: 1, instructions: instruction)
      return setsockopt(
        descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, socklen_t(MemoryLayout<Program>.size)) == 0
    }
  }

  /// Lets packets in again.
  static func hear(_ descriptor: Int32) {
    var unused: Int32 = 0
    setsockopt(descriptor, SOL_SOCKET, SO_DETACH_FILTER, &unused, socklen_t(MemoryLayout<Int32>.size))
  }

  enum State {
    case established
    /// We have sent FIN, the peer has not.
    case halfClosed
    /// The peer has sent FIN.
    case ended
    /// The peer has sent RST, or the kernel gave up.
    case reset
  }

  /// Ends our direction alone.
  static func halfClose(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_WR)) }

  /// What became of the connection, asked without reading.
  static func state(_ descriptor: Int32) -> State {
    // The first byte of tcp_info is the state: 1 is ESTABLISHED, 4 and 5 are FIN-WAIT, 7 is CLOSE.
    var state: UInt8 = 7
    var size = socklen_t(1)
    getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &state, &size)
    return switch state {
    case 1: .established
    case 4, 5: .halfClosed
    case 7: .reset
    default: .ended
    }
  }

  /// One byte, if there is one.
  static func readByte(_ descriptor: Int32) -> UInt8? {
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT)) == 1 ? byte : nil
  }
}

import EventLoop
import RoomEngine
import WireFormat

/// Counts connections before they may do anything: in all, and from one address.
///
/// An address is charged with its connections, and with its seats whose players are away until they are given up: what it
/// left behind takes the place of a connection. Only newcomers are refused for that. A resume is not known before its
/// Hello, so for each seat of the address two connections more are let in: one that comes back to it, and one that was
/// lost and is not closed yet. Who then says another Hello is refused.
final class ConnectionAdmission: Sendable {
  enum Answer {
    case admitted
    /// There is no place; say why.
    case refused(CloseReason, String)
  }

  fileprivate struct State {
    var open = 0
    var refused = 0
    // Empty unless connections are limited by address.
    var connections = AddressCounts()
    var presentSeats = AddressCounts()
    var absentSeats = AddressCounts()
  }

  private let most: Int
  private let mostPerAddress: Int?
  private let state = Locked(State())

  init(_ configuration: ServerConfiguration) {
    most = configuration.maxConnections
    mostPerAddress =
      switch configuration.maxConnectionsPerAddress {
      case .unlimited: nil
      case .atMost(let count): count
      }
  }

  /// Takes a place, or says why there is none.
  func enter(_ address: AddressKey, isShortOfMemory: Bool) -> Answer {
    state.withLock { state in
      guard !isShortOfMemory else { return state.refuse(.overBudget, "the server is short of memory: try again later") }
      guard state.open < most else { return state.refuse(.connectionLimit, "all \(most) connections are in use") }
      if let mostPerAddress {
        let seats = state.presentSeats[address] + state.absentSeats[address]
        guard state.connections[address] < mostPerAddress + 2 * seats else {
          return state.refuse(.connectionLimit, ConnectionAdmission.text(mostPerAddress))
        }
        state.connections.charge(address)
      }
      state.open += 1
      return .admitted
    }
  }

  /// Why a connection that has a place may not begin a new session; nil when it may.
  func refusal(toBegin address: AddressKey) -> String? {
    guard let mostPerAddress else { return nil }
    return state.withLock { state in
      state.connections[address] + state.absentSeats[address] > mostPerAddress
        ? ConnectionAdmission.text(mostPerAddress) : nil
    }
  }

  private static func text(_ most: Int) -> String {
    "all \(most) connections from this address are in use, or kept for players who may come back"
  }

  /// A seat was given, lost, resumed or given up.
  func charge(_ seat: SeatCharge) {
    guard mostPerAddress != nil else { return }
    state.withLock { state in
      state.presentSeats.change(seat.address, by: seat.present)
      state.absentSeats.change(seat.address, by: seat.absent)
    }
  }

  /// Whether nothing is charged to anybody.
  var isClear: Bool {
    state.withLock { $0.connections.isEmpty && $0.presentSeats.isEmpty && $0.absentSeats.isEmpty }
  }

  /// Gives a place back.
  func leave(_ place: ConnectionLifecycle.Place, _ address: AddressKey) {
    state.withLock { state in
      switch place {
      case .none: return
      case .refused: state.refused -= 1
      case .admitted:
        state.open -= 1
        if mostPerAddress != nil { state.connections.refund(address) }
      }
    }
  }

  var open: Int { state.withLock { $0.open } }

  /// All whose descriptor is open, those being refused included.
  var held: Int { state.withLock { $0.open + $0.refused } }
}

extension AddressCounts {
  /// - Parameter difference: -1, 0 or 1.
  fileprivate mutating func change(_ address: AddressKey, by difference: Int) {
    if difference > 0 { charge(address) } else if difference < 0 { refund(address) }
  }
}

extension AddressKey {
  /// - Parameter address: nil for a peer that was gone when it was asked for.
  init(_ address: SocketAddress?) {
    guard let ip = address?.ip.ipv6 else {
      self = .unknown
      return
    }
    self.init(ipv6: ip.high, ip.low)
  }
}

extension ConnectionAdmission.State {
  fileprivate mutating func refuse(_ reason: CloseReason, _ text: String) -> ConnectionAdmission.Answer {
    refused += 1
    return .refused(reason, text)
  }
}

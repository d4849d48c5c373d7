import EventLoop
import RoomEngine
import WireFormat

/// Counts connections before they may do anything: in all, and from one address.
final class ConnectionAdmission: Sendable {
  enum Answer {
    case admitted
    /// There is no place; say why.
    case refused(CloseReason, String)
  }

  fileprivate struct State {
    var open = 0
    var refused = 0
    var perAddress: [IPAddress: Int] = [:]
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
  func enter(_ address: IPAddress?, isShortOfMemory: Bool) -> Answer {
    state.withLock { state in
      guard !isShortOfMemory else { return state.refuse(.overBudget, "the server is short of memory: try again later") }
      guard state.open < most else { return state.refuse(.connectionLimit, "all \(most) connections are in use") }
      if let address, let mostPerAddress {
        guard state.perAddress[address, default: 0] < mostPerAddress else {
          return state.refuse(.connectionLimit, "all \(mostPerAddress) connections from this address are in use")
        }
        state.perAddress[address, default: 0] += 1
      }
      state.open += 1
      return .admitted
    }
  }

  /// Gives a place back.
  func leave(_ place: ConnectionLifecycle.Place, _ address: IPAddress?) {
    state.withLock { state in
      switch place {
      case .none: return
      case .refused: state.refused -= 1
      case .admitted:
        state.open -= 1
        guard let address, mostPerAddress != nil, let count = state.perAddress[address] else { return }
        state.perAddress[address] = count > 1 ? count - 1 : nil
      }
    }
  }

  var open: Int { state.withLock { $0.open } }

  /// All whose descriptor is open, those being refused included.
  var held: Int { state.withLock { $0.open + $0.refused } }
}

extension ConnectionAdmission.State {
  fileprivate mutating func refuse(_ reason: CloseReason, _ text: String) -> ConnectionAdmission.Answer {
    refused += 1
    return .refused(reason, text)
  }
}

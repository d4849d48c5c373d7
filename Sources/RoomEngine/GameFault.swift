package import WireFormat

/// What a game asked for that could not be done as it was: the room did what comes next to it, counted it, and goes on. In
/// a server it is logged; in RoomTestKit it is a line of the room's `faults`.
package struct GameFault: Hashable, Sendable {
  /// The call of the game's ``RoomLogic`` that did it.
  package enum Call: String, Sendable {
    case opened, admit, joined, disconnected, resumed, left, input, event, call, tick, ending
    /// None: a program holds the room and calls it by itself.
    case outside
  }

  package enum Cause: Hashable, Sendable {
    /// A value that no client's decoder would accept.
    case stored(StoreFault)
    /// An entity for an owner who has no seat: it was not made.
    case owner

    package static let all = StoreFault.allCases.map(Cause.stored) + [.owner]

    /// The name in logs and metrics.
    package var name: String {
      switch self {
      case .stored(let fault): fault.rawValue
      case .owner: "owner"
      }
    }
  }

  package let cause: Cause
  package let call: Call
  package let kind: KindIndex
  /// Its position in its kind; nil for the owner.
  package let field: Int?

  /// `avatar.target`, or the kind alone.
  package func place(in schema: Schema) -> String {
    let kind = schema.kinds[Int(kind.rawValue)]
    return field.map { "\(kind.name).\(kind.fields[$0].name)" } ?? kind.name
  }

  /// One sentence that says what was asked for, where, and what became of it.
  package func text(in schema: Schema) -> String {
    let what =
      switch cause {
      case .stored(.value): "a value out of its range: it got the nearest one"
      case .stored(.reference): "a reference to an entity that cannot exist in the schema: it got none"
      case .stored(.tooLong): "more bytes than it holds: they were cut"
      case .stored(.text): "text that is not UTF-8: it was cut before the first wrong byte"
      case .owner: "an owner who has no seat: the entity was not made"
      }
    return "the game gave \(place(in: schema)) \(what) (in \(call.rawValue))"
  }
}

extension Room {
  /// Faults that the shell is told of in one tick: a game may make one for each entity.
  private static let mostFaultsTold = 4

  /// Counts a fault, and tells the shell of the first ones of a tick.
  func note(_ cause: GameFault.Cause, kind: KindIndex, field: Int? = nil) {
    counters.gameFaults[cause, default: 0] += 1
    guard faultsTold < Self.mostFaultsTold else { return }
    faultsTold += 1
    effects.append(.fault(GameFault(cause: cause, call: gameCall, kind: kind, field: field)))
  }

  /// Does what one of the game's calls does, so that its faults bear its name.
  func calling<Result>(_ call: GameFault.Call, _ body: () -> Result) -> Result {
    let caller = gameCall
    gameCall = call
    defer { gameCall = caller }
    return body()
  }
}

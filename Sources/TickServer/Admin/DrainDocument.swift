import Foundation
import RoomEngine

/// The JSON of `/drain`: where the server is on its way to the end, and what is left. docs/operations.md lists the names.
struct DrainDocument: Encodable {
  private let state: String
  private let secondsLeft: Double?
  private let rooms: Int
  private let players: Int

  init(_ readings: AdminReadings) {
    state = readings.stateName
    secondsLeft = readings.secondsLeft.map { ($0 * 10).rounded() / 10 }
    let census = readings.total.census
    rooms = census.rooms
    players = census.seats
  }

  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Numbers and a word: there is nothing that could not be encoded.
    let data = (try? encoder.encode(self)) ?? Data()
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}

extension AdminReadings {
  /// What ``stateName`` may be.
  static let stateNames = ["serving", "lameDuck", "draining"]

  /// Where the server is on its way to the end.
  var stateName: String {
    switch state {
    case .serving: "serving"
    case .lameDuck: "lameDuck"
    case .draining, .ended: "draining"
    }
  }
}

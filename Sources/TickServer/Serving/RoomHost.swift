import EventLoop
import RoomEngine
import WireFormat

/// A room on its loop: the room, its place in the schedule and the seats that sessions resume.
final class RoomHost {
  let room: Room
  let place: TickSchedule.Place
  /// Its members are told goodbye, each as soon as it has taken what it is in the middle of; then it closes.
  var isDismissed = false
  /// Tickets of the sessions that have a seat here, and the seats.
  var seats: [UInt64: (ticket: [UInt8], seat: Seat)] = [:]
  /// Who is in it, as the directory knows it.
  var occupancy = Room.Occupancy.occupied
  /// When a fault of the game was last logged, and how many were not since.
  var faultLogged: Instant?
  var faultsUnlogged = 0
  /// Members who are read right before each tick, in no order; each knows its place.
  @exclusivity(unchecked) var intakes: ContiguousArray<Intake> = []

  /// A member who is read right before each tick. Its connection takes itself out before it ends.
  struct Intake {
    let stream: StreamIntake
    let connection: Unmanaged<Connection>
  }

  init(room: Room, place: TickSchedule.Place) {
    self.room = room
    self.place = place
  }
}

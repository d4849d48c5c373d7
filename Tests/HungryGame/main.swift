import TickServer

Server.main(rooms: [try Hungry.kind()])

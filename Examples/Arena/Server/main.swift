import ArenaGame
import TickServer

Server.main(rooms: [try Arena.roomKind()])

import TickServer

// Tests only: a server whose matches end by themselves, for rigs that watch a server stop.

Server.main(rooms: [try Match.kind()])

import TickServer

Server.main()

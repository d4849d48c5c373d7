import TickServer

ServerProgram.main()

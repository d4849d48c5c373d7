/// Never reads what it is sent, but keeps talking: no idle deadline ends it.
final class NeverReadsBot: StallingBot {}

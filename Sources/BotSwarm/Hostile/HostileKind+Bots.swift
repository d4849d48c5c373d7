extension HostileKind {
  func makeBot(index: Int, _ surroundings: HostileSurroundings) -> HostileBot {
    switch self {
    case .stalled: StalledBot(self, index: index, surroundings)
    case .neverReads: NeverReadsBot(self, index: index, surroundings)
    case .readsSlowly: ReadsSlowlyBot(self, index: index, surroundings)
    case .zeroWindow: ZeroWindowBot(self, index: index, surroundings)
    case .halfOpen: HalfOpenBot(self, index: index, surroundings)
    case .halfClose: HalfCloseBot(self, index: index, surroundings)
    case .reset: ResetBot(self, index: index, surroundings)
    case .silent: SilentBot(self, index: index, surroundings)
    case .slowloris: SlowlorisBot(self, index: index, surroundings)
    case .garbage: GarbageBot(self, index: index, surroundings)
    case .oversize: OversizeBot(self, index: index, surroundings)
    case .inputFlood: InputFloodBot(self, index: index, surroundings)
    case .joinFlood: JoinFloodBot(self, index: index, surroundings)
    case .hop: HopBot(self, index: index, surroundings)
    case .churn: ChurnBot(self, index: index, surroundings)
    case .badTickets: BadTicketsBot(self, index: index, surroundings)
    case .eventFlood: EventFloodBot(self, index: index, surroundings)
    case .entityChurn: EntityChurnBot(self, index: index, surroundings)
    case .resumeLoop: ResumeLoopBot(self, index: index, surroundings)
    }
  }
}

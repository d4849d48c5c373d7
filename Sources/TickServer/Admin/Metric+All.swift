import WireFormat

/// Every metric there is. docs/operations.md has a row for each; a test holds the two together.
extension Metric {
  static let all = serverMetrics + connectionMetrics + roomMetrics + tickMetrics + memoryMetrics

  private static let serverMetrics = [
    Metric(name: "tickserver_build_info", type: .gauge, help: "Always 1; the version is a label.") { _ in
      [Sample(labels: [("version", TickServerVersion.current)], value: MetricValue(true))]
    },
    server("tickserver_uptime_seconds", .gauge, "Time since the server started.") { .number($0.uptimeSeconds) },
    server("tickserver_draining", .gauge, "1 while the server is shutting down.") { MetricValue($0.isDraining) },
    Metric(name: "tickserver_state", type: .gauge, help: "1 for the present state.") { readings in
      AdminReadings.stateNames.map { state in
        Sample(labels: [("state", state)], value: MetricValue(state == readings.stateName))
      }
    },
    server("tickserver_lame_duck_left_seconds", .gauge, "Until rooms that are not done are closed; absent otherwise.") {
      $0.secondsLeft.map { .number($0) }
    },
    server("process_start_time_seconds", .gauge, "When the server started, since 1970.") {
      .number($0.startedUnixSeconds)
    },
    server("process_open_fds", .gauge, "Open file descriptors.") { MetricValue($0.process.openDescriptors) },
    server("process_max_fds", .gauge, "Most file descriptors that may be open.") {
      MetricValue($0.process.mostDescriptors)
    },
    server("tickserver_log_records_dropped_total", .counter, "Lines that the log did not take in time, or at all.") {
      MetricValue($0.lostLogLines)
    },
    Metric(name: "tickserver_loop_snapshot_age_seconds", type: .gauge, help: "Time since the loop last published.") {
      readings in
      readings.loops.enumerated().map { index, loop in
        let age = readings.now.nanoseconds(since: loop.publishedAt)
        return Sample(labels: [("loop", "\(index)")], value: .number(Double(age) / 1e9))
      }
    },
  ]

  private static let connectionMetrics = [
    loop("tickserver_connections_accepted_total", .counter, "Connections that the kernel gave to the loop.") {
      MetricValue($0.ledger.accepted)
    },
    loop("tickserver_connections_moved_here_total", .counter, "Connections that came from other loops.") {
      MetricValue($0.ledger.movedHere)
    },
    loop("tickserver_connections_moved_away_total", .counter, "Connections that went to other loops.") {
      MetricValue($0.ledger.movedAway)
    },
    closings(
      "tickserver_connections_closed_total", "Connections that ended, by the one reason each has.",
      of: CloseReason.allCases),
    closings(
      "tickserver_evictions_total", "Connections that the server ended, by reason.",
      of: CloseReason.allCases.filter(\.isTold)),
    loop("tickserver_connections_open", .gauge, "Connections that have not ended.") { MetricValue($0.census.open) },
    loop("tickserver_connections_closing", .gauge, "Connections that ended and whose descriptor is still open.") {
      MetricValue($0.census.closing)
    },
    loop(
      "tickserver_connections_closing_unsent_bytes", .gauge,
      "Bytes that the kernel still holds of those because their peers have not acknowledged them."
    ) { MetricValue($0.census.closingUnsentBytes) },
    loop("tickserver_ledger_balanced", .gauge, "1 while what is there is what the books say.") {
      MetricValue($0.faults.isEmpty)
    },
  ]

  private static let roomMetrics = [
    loop("tickserver_rooms", .gauge, "Rooms open.") { MetricValue($0.census.rooms) },
    loop("tickserver_rooms_opened_total", .counter, "Rooms opened.") { MetricValue($0.ledger.roomsOpened) },
    loop("tickserver_rooms_closed_total", .counter, "Rooms closed.") { MetricValue($0.ledger.roomsClosed) },
    loop("tickserver_rooms_yielded_total", .counter, "Rooms where nobody was that made way for another one.") {
      MetricValue($0.ledger.roomsYielded)
    },
    loop("tickserver_seats", .gauge, "Seats taken, those of absent players included.") { MetricValue($0.census.seats) },
    loop("tickserver_members_read_at_ticks", .gauge, "Members who send in every tick and are read right before it.") {
      MetricValue($0.census.readAtTicks)
    },
    loop("tickserver_joins_total", .counter, "Seats given.") { MetricValue($0.rooms.joins) },
    loop("tickserver_leaves_total", .counter, "Seats given up.") { MetricValue($0.rooms.leaves) },
    loop("tickserver_seats_yielded_total", .counter, "Seats of absent players that made way for newcomers.") {
      MetricValue($0.rooms.seatsYielded)
    },
    loop("tickserver_resumes_total", .counter, "Sessions resumed on another connection.") {
      MetricValue($0.rooms.resumes)
    },
    loop("tickserver_skips_total", .counter, "Laggards that got a keyframe instead of the frames they missed.") {
      MetricValue($0.rooms.skips)
    },
    loop("tickserver_frames_total", .counter, "Frames sealed, each sent to all members of its room.") {
      MetricValue($0.rooms.frames)
    },
    loop("tickserver_frame_bytes_total", .counter, "Bytes of these frames, each counted once.") {
      MetricValue($0.rooms.frameBytes)
    },
    loop("tickserver_keyframes_total", .counter, "Keyframes built, each shared by all who needed it.") {
      MetricValue($0.rooms.keyframes)
    },
    loop("tickserver_inputs_total", .counter, "Inputs applied.") { MetricValue($0.rooms.inputs) },
    loop("tickserver_inputs_ignored_total", .counter, "Parts of inputs for entities gone or not the client's.") {
      MetricValue($0.rooms.inputsIgnored)
    },
    loop("tickserver_inputs_dropped_total", .counter, "Inputs left out since newer ones had come by their tick.") {
      MetricValue($0.rooms.inputsDropped)
    },
    loop("tickserver_events_total", .counter, "Events sent to rooms or members.") { MetricValue($0.rooms.events) },
    loop("tickserver_events_refused_total", .counter, "Events beyond the bytes of a tick.") {
      MetricValue($0.rooms.eventsRefused)
    },
    loop("tickserver_whispers_lost_total", .counter, "Events to one member that found no place in its backlog.") {
      MetricValue($0.rooms.whispersLost)
    },
    gameFaults("tickserver_game_faults_total", "What games asked for and could not have as it was, by cause."),
  ]

  private static let tickMetrics = [
    loop("tickserver_ticks_total", .counter, "Ticks of rooms.") { MetricValue($0.ticks) },
    loop("tickserver_ticks_missed_total", .counter, "Ticks of rooms that were left out because they came too late.") {
      MetricValue($0.missedTicks)
    },
    times("tickserver_tick_lateness_seconds", "How long after it was due a room's tick began.", \.lateness),
    times(
      "tickserver_tick_duration_seconds", "How long a room's tick took, writing to its members included.", \.duration),
  ]

  private static let memoryMetrics = [
    server("process_resident_memory_bytes", .gauge, "Resident memory.") { MetricValue($0.process.residentBytes) },
    server("tickserver_memory_limit_bytes", .gauge, "Limit of the container or host; absent when there is none.") {
      $0.memory.limitBytes.map { MetricValue($0) }
    },
    server("tickserver_memory_plan_bytes", .gauge, "Worst case of the configuration.") {
      MetricValue($0.memory.planBytes)
    },
    server(
      "tickserver_memory_used_ratio", .gauge,
      "What is used of the limit that is nearest to its end: 0.85 is high, 0.93 critical. Absent without a limit."
    ) {
      $0.memory.usedShare.map { MetricValue($0) }
    },
    loop("tickserver_joins_refused_for_memory_total", .counter, "Joins refused because memory was short.") {
      MetricValue($0.joinsRefusedForMemory)
    },
    loop("tickserver_rooms_closed_for_memory_total", .counter, "Rooms closed because memory was short.") {
      MetricValue($0.roomsClosedForMemory)
    },
    Metric(name: "tickserver_memory_pressure", type: .gauge, help: "1 for the present level.") { readings in
      MemoryStatus.Pressure.allCases.map { level in
        Sample(labels: [("level", level.rawValue)], value: MetricValue(level == readings.memory.pressure))
      }
    },
    loop("tickserver_pool_leased_buffers", .gauge, "Frame buffers that somebody holds.") {
      MetricValue($0.census.pool.leasedBuffers)
    },
    loop("tickserver_pool_leased_bytes", .gauge, "Bytes of these buffers.") { MetricValue($0.census.pool.leasedBytes) },
    loop("tickserver_pool_idle_bytes", .gauge, "Bytes of buffers kept for the next tick.") {
      MetricValue($0.census.pool.idleBytes)
    },
    loop("tickserver_pool_high_water_bytes", .gauge, "Most bytes ever leased at once.") {
      MetricValue($0.census.pool.highWaterBytes)
    },
    loop("tickserver_pinned_bytes", .gauge, "Bytes of writes in flight; a frame counts for each laggard.") {
      MetricValue($0.census.pinnedBytes)
    },
  ]
}

"""The server clock as a client sees it (6), and how late frames come by it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from .violation import Violation


@dataclass
class Clock:
    """Follows the server clock: the offset of the sample with the shortest round trip of the last few."""

    samples: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=8))
    pending: set[int] = field(default_factory=set)
    last_time: int = 0

    def sample(self, token: int, server_time: int, now: int) -> None:
        if token not in self.pending:
            raise Violation(f"Pong with token {token}, which is not that of an unanswered Ping")
        self.pending.discard(token)
        self.check_time(server_time)
        round_trip = now - token
        self.samples.append((round_trip, server_time + round_trip // 2 - now))

    def check_time(self, server_time: int) -> None:
        if server_time < self.last_time:
            raise Violation(f"the server clock went back from {self.last_time} to {server_time}")
        self.last_time = server_time

    @property
    def best(self) -> tuple[int, int] | None:
        return min(self.samples, default=None)


class FrameDelays:
    """How long after their ticks were due frames came, and how long none came. Microseconds."""

    def __init__(self, start: int, tick_rate: int):
        self.start = start
        self.tick_rate = tick_rate
        self.delays: deque[int] = deque(maxlen=1024)
        self.last_frame_at: int | None = None
        self.longest_silence = 0

    def measure(self, tick: int, now: int, clock: Clock) -> None:
        if self.last_frame_at is not None:
            self.longest_silence = max(self.longest_silence, now - self.last_frame_at)
        self.last_frame_at = now
        if clock.best is not None:
            due = self.start + tick * 1_000_000 // self.tick_rate
            self.delays.append(now + clock.best[1] - due)

    @property
    def summary(self) -> dict[str, int] | None:
        if not self.delays:
            return None
        ordered = sorted(self.delays)
        return {"least": ordered[0], "median": ordered[len(ordered) // 2], "most": ordered[-1]}

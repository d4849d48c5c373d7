"""What a client counts, under the names of its report."""

from dataclasses import dataclass


@dataclass
class Counts:
    frames: int = 0
    keyframes: int = 0
    gaps: int = 0
    heartbeats: int = 0
    events: int = 0
    reliableEvents: int = 0
    eventsMessages: int = 0
    whispers: int = 0
    inputs: int = 0
    acks: int = 0
    pings: int = 0
    pongs: int = 0
    ownEventsSent: int = 0
    ownEventsSeen: int = 0
    connections: int = 0
    bytes: int = 0

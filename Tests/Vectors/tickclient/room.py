"""The checks of a room (7, 8): what comes between Joined and Left. It survives its connection."""

from __future__ import annotations

from collections import deque

import tickwire as tw

from .clock import Clock, FrameDelays
from .counts import Counts
from .events import EventLog
from .violation import Violation

HASHES_KEPT = 64


class Room:
    """The room of a session: its state, its events, and what the client has said in it."""

    def __init__(self, joined: tw.Message, counts: Counts):
        self.joined = joined
        self.counts = counts
        self.state = tw.State(self._schema(joined))
        self.events = EventLog(joined["player"], self._players(joined), joined["lastEvent"], counts)
        self.delays = FrameDelays(joined["start"], joined["tickRate"])
        self.last_whisper = joined["lastWhisper"]
        self.needs_keyframe = True
        self.resumed = False
        self.frame_since_joined = False
        self.sequence = 0
        self.acknowledged = 0
        self.dropped = 0
        self.hashes: deque[tuple[int, int]] = deque(maxlen=HASHES_KEPT)

    def _schema(self, joined: tw.Message) -> tw.Schema:
        if joined.get("schema") is None:
            raise Violation("Joined brings no schema, though Join asked for it with hash 0")
        schema = tw.Schema.decode(joined["schema"])
        if schema.hash != joined["schemaHash"]:
            raise Violation(f"schemaHash is {joined['schemaHash']:016x}, the schema's is {schema.hash:016x}")
        return schema

    def _players(self, joined: tw.Message) -> list[int]:
        players = joined.get("players")
        if players is None or joined["player"] not in players:
            raise Violation(f"Joined.players is {players}, without the player {joined['player']} itself")
        return players

    # A lost connection

    def cut(self) -> None:
        """The connection is gone. Events that a keyframe jumped over and that had not come bring another keyframe."""
        self.needs_keyframe = self.needs_keyframe or self.events.missed > 0
        self.events.missed = 0

    def resume(self, joined: tw.Message) -> None:
        for name in ("player", "generation", "schemaHash", "start", "tickRate"):
            if joined[name] != self.joined[name]:
                raise Violation(f"{name} changed over a resume from {self.joined[name]} to {joined[name]}")
        if joined.get("players") is not None:
            raise Violation("Joined as resumed has a players list")
        for name, own in (("lastEvent", self.events.last_event), ("lastWhisper", self.last_whisper)):
            if joined[name] != own:
                raise Violation(f"Joined.{name} after a resume is {joined[name]}, the client sent {own}")
        self.joined = joined
        self.resumed = True
        self.frame_since_joined = False

    # Messages

    def on_frame(self, message: tw.Message, now: int, clock: Clock) -> None:
        before, before_hash = self.state.tick, self.state.hash
        keyframe = bool(message["flags"] & tw.FRAME_KEYFRAME)
        self._check_keyframe(message, keyframe)
        try:
            self.state.apply(message)
        except tw.FrameGap as error:
            self.counts.gaps += 1
            raise Violation(str(error)) from error
        self.counts.frames += 1
        self.counts.keyframes += keyframe
        self.counts.heartbeats += message["flags"] == 0
        self.needs_keyframe = False
        self.frame_since_joined = True
        if message.get("events") is not None:
            self.events.take(message["firstReliable"], message["events"])
        if before is not None and not keyframe:
            self._remember_quiet_ticks(before, message["tick"], before_hash)
        self.hashes.append((message["tick"], self.state.hash))
        self.delays.measure(message["tick"], now, clock)

    def on_events(self, message: tw.Message) -> None:
        self.counts.eventsMessages += 1
        if not self.events.missed:
            raise Violation("Events though no event was missed")
        self.events.take_missed(message)

    def on_whisper(self, message: tw.Message) -> None:
        # After a resume the reliable ones missed come before everything else.
        if self.needs_keyframe and not (self.resumed and message["flags"] & 1):
            raise Violation("Whisper before the first keyframe")
        self.counts.whispers += 1
        expected = self.last_whisper + (message["flags"] & 1)
        if message["number"] != expected:
            raise Violation(f"Whisper has number {message['number']}, expected was {expected}")
        self.last_whisper = expected

    def on_ack(self, message: tw.Message) -> None:
        self.counts.acks += 1
        if not self.acknowledged <= message["sequence"] <= self.sequence:
            raise Violation(
                f"InputAck {message['sequence']} after {self.acknowledged}, the last input sent was {self.sequence}"
            )
        if message["dropped"] < self.dropped:
            raise Violation(f"InputAck with {message['dropped']} dropped inputs after {self.dropped}")
        self.acknowledged = message["sequence"]
        self.dropped = message["dropped"]

    def _check_keyframe(self, message: tw.Message, keyframe: bool) -> None:
        if not keyframe:
            if self.needs_keyframe:
                raise Violation("the first frame after Joined is not a keyframe")
            return
        tick = self.state.tick
        at_resume = self.resumed and not self.frame_since_joined
        if tick is not None and (message["tick"] < tick or (message["tick"] == tick and not at_resume)):
            raise Violation(f"a keyframe of tick {message['tick']} after tick {tick}")
        if not self.resumed and not self.frame_since_joined and message["tick"] != self.joined["tick"]:
            raise Violation(f"the first keyframe is of tick {message['tick']}, Joined.tick is {self.joined['tick']}")
        self.events.skip_to(message["lastEvent"])

    def _remember_quiet_ticks(self, before: int, tick: int, unchanged: int) -> None:
        """No frame for a tick means that nothing changed in it."""
        for quiet in range(max(before + 1, tick - HASHES_KEPT), tick):
            self.hashes.append((quiet, unchanged))

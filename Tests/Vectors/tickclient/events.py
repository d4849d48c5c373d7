"""The checks of events (7.1, 8): none lost, none twice, players come and go, own events come back in order."""

from __future__ import annotations

from typing import Sequence

import tickwire as tw

from .counts import Counts
from .violation import Violation

EVENT_CODE = 16  # of the events that the client raises
EVENT_JOINED, EVENT_LEFT = 1, 2


class EventLog:
    """The events of a room as one player sees them."""

    def __init__(self, player: int, players: Sequence[int], last_event: int, counts: Counts):
        self.player = player
        self.players = set(players)
        self.last_event = last_event
        self.missed = 0  # what the next message, Events, must bring
        self.counts = counts
        self.own_event_seen = 0

    def take(self, first: int, events: list[tw.Fields]) -> None:
        if first != self.last_event + 1:
            raise Violation(f"the first reliable event is number {first}, the last seen was {self.last_event}")
        for event in events:
            self.counts.events += 1
            if event["flags"] & tw.EVENT_RELIABLE:
                self.counts.reliableEvents += 1
                self.last_event += 1
            self._take_event(event)

    def skip_to(self, last_event: int) -> None:
        """A keyframe has come: what it jumps over must come next."""
        if last_event < self.last_event:
            raise Violation(f"a keyframe with lastEvent {last_event}, the client has seen {self.last_event}")
        self.missed = last_event - self.last_event

    def take_missed(self, message: tw.Message) -> None:
        count = len(message["events"])
        if count != self.missed:
            raise Violation(f"Events brings {count} events, {self.missed} were missed")
        self.missed = 0
        self.take(message["first"], message["events"])

    def _take_event(self, event: tw.Fields) -> None:
        if event["code"] in (EVENT_JOINED, EVENT_LEFT):
            self._take_player_event(event)
        elif event["code"] == EVENT_CODE and self._is_own(event) and len(event["payload"]) == 8:
            number = int.from_bytes(event["payload"], "little")
            if not self.own_event_seen < number <= self.counts.ownEventsSent:
                raise Violation(f"own event {number} came back after {self.own_event_seen}")
            self.own_event_seen = number
            self.counts.ownEventsSeen += 1

    def _is_own(self, event: tw.Fields) -> bool:
        return self.counts.ownEventsSent > 0 and event.get("sender") == self.player

    def _take_player_event(self, event: tw.Fields) -> None:
        if not event["flags"] & tw.EVENT_RELIABLE or event.get("sender") is not None:
            raise Violation(f"protocol event {event['code']} with flags {event['flags']}")
        reader = tw.Reader(event["payload"])
        player = reader.ranged(0, tw.ID_LAST, "player")
        if event["code"] == EVENT_JOINED:
            reader.varint("generation", 32)
            if player in self.players:
                raise Violation(f"player {player} joined, but is in the room")
            self.players.add(player)
        else:
            if player not in self.players:
                raise Violation(f"player {player} left, but is not in the room")
            self.players.discard(player)
        reader.finish("the player event")

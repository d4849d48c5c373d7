"""What a client has seen, as a dictionary for JSON."""

from __future__ import annotations

from typing import Any

from .conversation import Conversation
from .room import Room


def report(conversation: Conversation) -> dict[str, Any]:
    best = conversation.clock.best
    goodbye, refused = conversation.goodbye, conversation.refused
    return {
        **vars(conversation.counts),
        **_room_report(conversation.room),
        "roundTripMicroseconds": best[0] if best else None,
        "clockOffsetMicroseconds": best[1] if best else None,
        "phase": conversation.phase.value,
        "goodbye": dict(goodbye.fields) if goodbye else None,
        "joinRefused": dict(refused.fields) if refused else None,
    }


def _room_report(room: Room | None) -> dict[str, Any]:
    """The same keys before the client is in a room."""
    return {
        "lastTick": room.state.tick if room else None,
        "lastEvent": room.events.last_event if room else 0,
        "entities": room.state.count if room else 0,
        "stateHash": f"{room.state.hash:016x}" if room else None,
        "hashes": {str(tick): f"{value:016x}" for tick, value in room.hashes} if room else {},
        "player": room.joined["player"] if room else None,
        "players": sorted(room.events.players) if room else [],
        "inputSequence": room.sequence if room else 0,
        "inputAcknowledged": room.acknowledged if room else 0,
        "inputsDropped": room.dropped if room else 0,
        "frameDelayMicroseconds": room.delays.summary if room else None,
        "longestSilenceMicroseconds": room.delays.longest_silence if room else 0,
    }

"""The lists inside messages: the events of a Frame (7.1) and of Events, the entries of an Input (6)."""

from __future__ import annotations

from .layouts import Codec, Fields, Layout, Part, blob, flags, has, ranged, read_parts, write_parts
from .limits import ID_LAST, INPUT_ENTRIES, PAYLOAD_LIMIT
from .primitives import Reader, Writer
from .values import read_mask, read_value, write_value

EVENT_RELIABLE, EVENT_SENDER, EVENT_NOT_FOR_SENDER = 1, 2, 4

NUMBER16 = ranged(0, ID_LAST)


def _event_problem(fields: Fields) -> str | None:
    lacks_sender = fields["flags"] & EVENT_NOT_FOR_SENDER and not fields["flags"] & EVENT_SENDER
    return "not for its sender, and without one" if lacks_sender else None


FRAME_EVENT = Layout("event", (
    Part("flags", flags(7)),
    Part("sender", NUMBER16, has(EVENT_SENDER)),
    Part("code", NUMBER16),
    Part("payload", blob(0, PAYLOAD_LIMIT)),
), _event_problem)


def _read_events(reader: Reader, what: str) -> list[Fields]:
    at = reader.position
    count = reader.varint(what + " count")
    if count < 1:
        raise reader.error("outOfRange", what + " count is 0", at)
    events: list[Fields] = []
    while len(events) < count:  # grows with the bytes read, so a huge count costs nothing
        events.append(read_parts(reader, FRAME_EVENT).fields)
    return events


def _write_events(writer: Writer, events: list[Fields]) -> None:
    writer.varint(len(events))
    for event in events:
        write_parts(writer, FRAME_EVENT, event)


def _read_entries(reader: Reader, what: str) -> list[Fields]:
    count = reader.ranged(0, INPUT_ENTRIES, what + " count")
    return [_read_entry(reader) for _ in range(count)]


def _read_entry(reader: Reader) -> Fields:
    if reader.schema is None:
        raise reader.error("inconsistent", "an Input entry can not be read without a schema")
    kind = reader.ranged(0, len(reader.schema.kinds) - 1, "Input kind")
    layout = reader.schema.kinds[kind]
    identifier = reader.ranged(0, layout.capacity - 1, "Input id")
    mask = read_mask(reader, len(layout.fields))
    chosen = [field for index, field in enumerate(layout.fields) if mask >> index & 1]
    values = [read_value(reader, field, field.zero) for field in chosen]
    return {"kind": kind, "id": identifier, "mask": mask, "values": values}


def _write_entries(writer: Writer, entries: list[Fields]) -> None:
    writer.varint(len(entries))
    for entry in entries:
        if writer.schema is None:
            raise ValueError("an Input entry can not be written without a schema")
        for name in ("kind", "id", "mask"):
            writer.varint(entry[name])
        fields = writer.schema.kinds[entry["kind"]].fields
        chosen = [field for index, field in enumerate(fields) if entry["mask"] >> index & 1]
        for field, value in zip(chosen, entry["values"], strict=True):
            write_value(writer, field, value, field.zero)


EVENTS = Codec("events", _read_events, _write_events)
ENTRIES = Codec("entries", _read_entries, _write_entries)

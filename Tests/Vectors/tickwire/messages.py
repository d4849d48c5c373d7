"""Messages (6): each layout is the row of the page's table."""

from __future__ import annotations

from .errors import DecodeError
from .framing import RawMessage
from .layouts import (
    Codec, Fields, Layout, Message, Part, blob, choice, credential, flags, has, ranged, read_parts, rest, text, varint,
    write_parts,
)
from .limits import ID_LAST, MAGIC, NAME_LIMIT, OPTIONS_LIMIT, PAYLOAD_LIMIT, SCHEMA_LIMIT, TEXT_LIMIT, TOKEN_LIMIT
from .lists import ENTRIES, EVENT_RELIABLE, EVENTS, NUMBER16
from .primitives import MASK32, Reader, Writer
from .schema import Schema

FRAME_KEYFRAME, FRAME_EVENTS, FRAME_STATE = 1, 2, 4

U64LE = Codec("int", lambda r, what: r.u64le(what), lambda w, value: w.u64le(value))
IDS = Codec("ids", lambda r, what: r.idset(what), lambda w, value: w.idset(value))


def _read_magic(reader: Reader, what: str) -> bytes:
    at = reader.position
    magic = reader.take(4, what)
    if magic != MAGIC:
        raise reader.error("outOfRange", f"{what} is {magic!r}", at)
    return magic


def _frame_problem(fields: Fields) -> str | None:
    if fields["flags"] & FRAME_KEYFRAME:
        return "a keyframe with events" if fields["flags"] & FRAME_EVENTS else None
    return "the span is longer than the tick" if fields["span"] > fields["tick"] else None


def _events_problem(fields: Fields) -> str | None:
    transient = any(not event["flags"] & EVENT_RELIABLE for event in fields["events"])
    return "a transient event in Events" if transient else None


def _ack_problem(fields: Fields) -> str | None:
    return "applied only what came later" if fields.get("firstApplied", 0) > fields["sequence"] else None


MAGIC_BYTES = Codec("bytes", _read_magic, lambda w, value: w.data.extend(value))
POSITIVE32 = ranged(1, MASK32, 32)

PING = Layout("Ping", (Part("token", varint()),))
PONG = Layout("Pong", (Part("token", varint()), Part("time", varint())))

CLIENT_LAYOUTS: dict[int, Layout] = {
    0x01: Layout("Hello", (
        Part("magic", MAGIC_BYTES),
        Part("version", varint(32)),
        Part("capabilities", varint()),
        Part("credential", choice(2)),
        Part("token", blob(0, TOKEN_LIMIT), credential(1)),
        Part("ticket", blob(16, 64), credential(2)),
        Part("lastTick", varint(32), credential(2)),
        Part("lastEvent", varint(), credential(2)),
        Part("lastWhisper", varint(), credential(2)),
    )),
    0x02: Layout("Join", (
        Part("flags", flags(1)),
        Part("room", text(0, NAME_LIMIT)),
        Part("roomKind", text(0, NAME_LIMIT)),
        Part("schemaHash", U64LE),
        Part("options", blob(0, OPTIONS_LIMIT)),
    )),
    0x03: Layout("Input", (Part("sequence", varint(32)), Part("entries", ENTRIES))),
    0x04: Layout("Event", (
        Part("flags", flags(1)),
        Part("target", choice(2)),
        Part("player", NUMBER16, lambda fields: fields["target"] == 2),
        Part("code", ranged(16, ID_LAST)),
        Part("payload", rest(PAYLOAD_LIMIT)),
    )),
    0x05: Layout("Call", (
        Part("id", varint(32)), Part("method", NUMBER16), Part("payload", rest(PAYLOAD_LIMIT)),
    )),
    0x06: PING,
    0x07: Layout("Leave", ()),
    0x08: PONG,
}

SERVER_LAYOUTS: dict[int, Layout] = {
    0x06: PING,
    0x08: PONG,
    0x11: Layout("Welcome", (
        Part("version", varint(32)),
        Part("capabilities", varint()),
        Part("session", varint()),
        Part("time", varint()),
        Part("maxClientMessage", varint(32)),
        Part("maxServerMessage", varint(32)),
        Part("graceSeconds", varint(32)),
        Part("ticket", blob(16, 64)),
    )),
    0x12: Layout("Joined", (
        Part("flags", flags(7)),
        Part("player", NUMBER16),
        Part("generation", varint(32)),
        Part("tick", varint(32)),
        Part("tickRate", POSITIVE32),
        Part("start", varint()),
        Part("lastEvent", varint()),
        Part("lastWhisper", varint()),
        Part("schemaHash", U64LE),
        Part("schema", blob(0, SCHEMA_LIMIT), has(2)),
        Part("players", IDS, has(4)),
    )),
    0x13: Layout("Frame", (
        Part("flags", flags(7)),
        Part("tick", varint(32)),
        Part("lastEvent", varint(), has(FRAME_KEYFRAME)),
        Part("span", POSITIVE32, lambda fields: not fields["flags"] & FRAME_KEYFRAME),
        Part("firstReliable", varint(), has(FRAME_EVENTS)),
        Part("events", EVENTS, has(FRAME_EVENTS)),
        Part("state", rest(), has(FRAME_STATE)),
    ), _frame_problem),
    0x14: Layout("InputAck", (
        Part("sequence", varint(32)),
        Part("dropped", varint(32)),
        Part("firstApplied", varint(32), lambda fields: fields["dropped"] > 0),
    ), _ack_problem),
    0x15: Layout("Reply", (
        Part("id", varint(32)), Part("status", NUMBER16), Part("payload", rest(PAYLOAD_LIMIT)),
    )),
    0x16: Layout("Whisper", (
        Part("flags", flags(3)),
        Part("number", varint()),
        Part("sender", NUMBER16, has(2)),
        Part("code", NUMBER16),
        Part("payload", rest(PAYLOAD_LIMIT)),
    )),
    0x17: Layout("Events", (Part("first", varint()), Part("events", EVENTS)), _events_problem),
    0x18: Layout("JoinRefused", (
        Part("refusal", NUMBER16),
        Part("flags", flags(1)),
        Part("retryAfterMilliseconds", varint(32), has(1)),
        Part("text", text(0, TEXT_LIMIT)),
    )),
    0x19: Layout("Left", ()),
    0x1A: Layout("Goodbye", (
        Part("reason", NUMBER16),
        Part("flags", flags(3)),
        Part("retryAfterMilliseconds", varint(32), has(1)),
        Part("address", text(0, TEXT_LIMIT), has(2)),
        Part("text", text(0, TEXT_LIMIT)),
    )),
}

LAYOUTS: dict[str, dict[int, Layout]] = {"client": CLIENT_LAYOUTS, "server": SERVER_LAYOUTS}


def decode_message(sender: str, raw: RawMessage, schema: Schema | None = None) -> Message | None:
    """Decodes a message that `sender` ("client" or "server") sent. None: an optional type to be skipped."""
    layout = LAYOUTS[sender].get(raw.type)
    if layout is None:
        if raw.type >= 0x80:
            return None
        raise DecodeError("unknownType", raw.header_size - 1, f"message type {raw.type:#04x} from the {sender}")
    reader = Reader(raw.body, raw.header_size, schema)
    message = read_parts(reader, layout)
    reader.finish(layout.name)
    return message


def find_layout(sender: str, name: str) -> tuple[int, Layout]:
    for code, layout in LAYOUTS[sender].items():
        if layout.name == name:
            return code, layout
    raise ValueError(f"the {sender} sends no message {name!r}")


def encode_message(sender: str, name: str, fields: Fields, schema: Schema | None = None) -> bytes:
    """A whole message with its length. `Hello` may leave out `magic`."""
    code, layout = find_layout(sender, name)
    if name == "Hello":
        fields = {"magic": MAGIC, **fields}
    body = Writer(schema)
    body.u8(code)
    write_parts(body, layout, fields)
    message = Writer()
    message.varint(len(body.data), 32)
    return bytes(message.data + body.data)

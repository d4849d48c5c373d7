"""The TickServer protocol, version 1, for Python: an implementation written from docs/protocol.md alone.

It exists to keep that page honest: what can not be written from the page shows up here. It does no I/O and reads no clock.
The numbers in the comments are sections of the page.

    reader = MessageReader(limit=DEFAULT_SERVER_LIMIT)
    reader.feed(data)                                   # any split
    while (raw := reader.next()) is not None:
        message = decode_message("server", raw, schema)  # None: an unknown optional message

Each file imports only files further up: errors, limits, primitives, framing, bits, schema, quaternions, values, layouts,
lists, messages, hashing, changes, state.
"""

from .errors import DecodeError, FrameGap, MessageTooLarge
from .framing import MessageReader, RawMessage
from .hashing import mix
from .layouts import Fields, Layout, Message, Part
from .limits import DEFAULT_CLIENT_LIMIT, DEFAULT_SERVER_LIMIT, ID_LAST, PROTOCOL_VERSION
from .lists import EVENT_NOT_FOR_SENDER, EVENT_RELIABLE, FRAME_EVENT
from .messages import FRAME_KEYFRAME, LAYOUTS, decode_message, encode_message, find_layout
from .primitives import MASK64, Reader, Writer, fnv1a64, zigzag_decode, zigzag_encode
from .quaternions import quaternion_to_columns, quaternion_to_units
from .schema import BLOBS, Column, Field, FieldType, Kind, Schema
from .state import Entity, State
from .values import read_value, to_units, write_value

__all__ = [
    "BLOBS", "Column", "DEFAULT_CLIENT_LIMIT", "DEFAULT_SERVER_LIMIT", "DecodeError", "EVENT_NOT_FOR_SENDER", "EVENT_RELIABLE",
    "Entity", "FRAME_EVENT", "FRAME_KEYFRAME", "Field", "FieldType", "Fields", "FrameGap", "ID_LAST", "Kind", "LAYOUTS",
    "Layout", "MASK64", "Message", "MessageReader", "MessageTooLarge", "PROTOCOL_VERSION", "Part", "RawMessage", "Reader",
    "Schema", "State", "Writer", "decode_message", "encode_message", "find_layout", "fnv1a64", "mix", "quaternion_to_columns",
    "quaternion_to_units", "read_value", "to_units", "write_value", "zigzag_decode", "zigzag_encode",
]

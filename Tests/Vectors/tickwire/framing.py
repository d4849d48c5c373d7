"""Framing (1): a stream cut into messages."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import DecodeError, MessageTooLarge


@dataclass(frozen=True)
class RawMessage:
    type: int
    body: bytes
    header_size: int  # bytes of the length and the type


class MessageReader:
    """Cuts a stream into messages. `next` refuses a length above `limit` bytes at once, before its body has come."""

    def __init__(self, limit: int):
        self.limit = limit
        self.buffer = bytearray()

    def feed(self, data: bytes) -> None:
        self.buffer += data

    def next(self) -> RawMessage | None:
        prefix = self._length()
        if prefix is None:
            return None
        length, size = prefix
        if len(self.buffer) < size + length:
            return None
        message = RawMessage(self.buffer[size], bytes(self.buffer[size + 1 : size + length]), size + 1)
        del self.buffer[: size + length]
        return message

    def finish(self) -> None:
        """The stream has ended: an unfinished message is truncated."""
        if self.buffer:
            raise DecodeError("truncated", len(self.buffer), "the stream ends inside a message")

    def _length(self) -> tuple[int, int] | None:
        length = 0
        for index, byte in enumerate(self.buffer[:5]):
            length |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                self._check_length(length, nonminimal=byte == 0 and index > 0)
                return length, index + 1
        if len(self.buffer) >= 5:
            raise DecodeError("invalidLength", 0, "the length is a varint longer than 5 bytes")
        return None

    def _check_length(self, length: int, nonminimal: bool) -> None:
        if nonminimal:
            raise DecodeError("nonMinimalVarint", 0, "message length")
        if length == 0:
            raise DecodeError("invalidLength", 0, "a message length of 0")
        if length > self.limit:
            raise MessageTooLarge("invalidLength", 0, f"a message length of {length}, the limit is {self.limit}")

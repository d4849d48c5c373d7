"""What can go wrong: the codes of section 2, and a frame that does not follow."""

from __future__ import annotations

ERROR_CODES = (
    "truncated", "nonMinimalVarint", "valueTooLarge", "invalidText", "unknownFlag",
    "trailingBytes", "invalidLength", "outOfRange", "unknownType", "inconsistent",
)


class DecodeError(Exception):
    """Bytes that do not follow the protocol. `offset` counts from the first byte of the message (its length)."""

    def __init__(self, code: str, offset: int, what: str):
        assert code in ERROR_CODES, code
        super().__init__(f"{code} at byte {offset}: {what}")
        self.code = code
        self.offset = offset
        self.what = what


class MessageTooLarge(DecodeError):
    """A length above the limit of its direction: Goodbye reason messageTooLarge, not malformed."""


class FrameGap(Exception):
    """A frame whose previous tick is not the state's: well formed, but it must not be applied."""

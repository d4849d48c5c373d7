"""What the tests of tickwire share: a schema, bytes from hex, and how to expect an error."""

from __future__ import annotations

import unittest
from typing import Any, Callable

import check_vectors
import tickwire as tw

HALF = "00 00 00 00 00 00 e0 3f"  # 0.5 as f64le

# Kind 0 "p", 300 ids: a fixed -100...100, v vector of 2 in -1000...1000, h angle of 360 steps,
# q quaternion of 10 bits, n string of 8, b bool. Kind 1 "x", 16 ids: r reference, u unsigned 32, s signed 8, d bytes of 4.
SCHEMA_HEX = (
    "02"
    "01 70  ac 02  06"
    f"01 61 03 c7 01 c8 01 {HALF}"
    f"01 76 04 02 cf 0f d0 0f {HALF}"
    "01 68 05 e8 02"
    "01 71 06 0a"
    "01 6e 07 08"
    "01 62 00"
    "01 78  10  04"
    "01 72 09"
    "01 75 01 20"
    "01 73 02 08"
    "01 64 08 04"
)
SCHEMA = tw.Schema.decode(bytes.fromhex(SCHEMA_HEX))

# Creates 0/2 of player 4 and 0/5 of nobody, generation 1 and 0.
CREATED = "02 02 02 02  01 05  00 00"
KEYFRAME = f"05 0a 00  01 {CREATED}"


def hexed(text: str) -> bytes:
    return bytes.fromhex(text)


def bits(text: str) -> str:
    """Hex of bits in the order of the stream, filled with zeros to whole bytes."""
    stream = text.replace(" ", "")
    data = bytearray((len(stream) + 7) // 8)
    for position, bit in enumerate(stream):
        data[position // 8] |= int(bit) << position % 8
    return data.hex()


def column(*values: int, order: str = "") -> str:
    """A column with parameter 12, for values below 4096: a one and twelve bits each."""
    return order + "00110" + "".join("1" + "".join(str(value >> i & 1) for i in range(12)) for value in values)


def whole(type_and_body: str) -> bytes:
    """A message from the hex of its type and body; short ones only."""
    data = hexed(type_and_body)
    assert len(data) < 128
    return bytes([len(data)]) + data


def decode(sender: str, data: bytes, schema: tw.Schema | None = SCHEMA) -> tw.Message:
    messages = list(check_vectors.decode_all(sender, [data], schema))
    assert len(messages) == 1 and messages[0] is not None
    return messages[0]


def apply_all(*bodies: str, schema: tw.Schema = SCHEMA) -> tw.State:
    state = tw.State(schema)
    for body in bodies:
        state.apply(decode("server", whole("13 " + body), schema))
        assert state.hash == state.recomputed_hash()
    return state


class WireTestCase(unittest.TestCase):
    def assert_error(self, code: str, action: Callable[[], Any]) -> tw.DecodeError:
        with self.assertRaises(tw.DecodeError) as caught:
            action()
        self.assertEqual(caught.exception.code, code, caught.exception)
        return caught.exception

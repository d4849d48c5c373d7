"""Layouts of bits (2), and the values of a column (7.1)."""

from __future__ import annotations

from .errors import DecodeError
from .primitives import MASK32, Reader


class BitReader:
    """Reads bits from where `reader` stands; `finish` puts it behind them."""

    def __init__(self, reader: Reader):
        self.reader = reader
        self.start = reader.position
        self.stream = int.from_bytes(reader.data[self.start :], "little")
        self.left = 8 * (len(reader.data) - self.start)
        self.used = 0

    def error(self, code: str, what: str) -> DecodeError:
        return self.reader.error(code, what, self.start + self.used // 8)

    def check_range(self, value: int, low: int, high: int, what: str) -> int:
        return self.reader.check_range(value, low, high, what, self.start + self.used // 8)

    def number(self, width: int, what: str) -> int:
        if width > self.left:
            raise self.error("truncated", f"{what} needs {width} bits, {self.left} are left")
        value = self.stream & ((1 << width) - 1)
        self._skip(width)
        return value

    def value(self, k: int, what: str) -> int:
        if k == 31:
            return 0
        zeros = 0
        while self.number(1, what) == 0:
            zeros += 1
            if zeros > 33:
                raise self.error("valueTooLarge", f"{what} begins with more than 33 zeros")
        base = zeros if zeros < 2 else (1 << (zeros - 2)) + 1
        if (base << k) > MASK32:
            raise self.error("valueTooLarge", f"{what} is above 32 bits")
        value = self.number(k + max(zeros - 2, 0), what) + (base << k)
        if value > MASK32:
            raise self.error("valueTooLarge", f"{what} is {value}, above 32 bits")
        return value

    def finish(self, what: str) -> None:
        padding = -self.used % 8
        if self.number(padding, what):
            raise self.error("inconsistent", f"the padding of the {what} is not zero")
        self.reader.position = self.start + self.used // 8

    def _skip(self, width: int) -> None:
        self.stream >>= width
        self.left -= width
        self.used += width

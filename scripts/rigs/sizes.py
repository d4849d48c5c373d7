"""Sizes with their units, in the words of the server's configuration."""

from __future__ import annotations

import argparse
import re

UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def size(text: str) -> int:
    """Bytes of a text such as 64MiB. For argparse: raises what it shows."""
    match = re.fullmatch(r"(\d+)(B|KiB|MiB|GiB)", text)
    if match is None or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a size. Write a whole number above 0 with its unit, such as 64MiB (B, KiB, MiB, GiB)"
        )
    return int(match[1]) * UNITS[match[2]]


def mebibytes(count: float | None) -> str:
    return "unknown" if count is None else f"{count / (1 << 20):.1f} MiB"

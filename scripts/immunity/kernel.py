"""What the kernel holds of a server's connections: what a ledger cannot know."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Socket:
    """The server's end of one connection."""

    state: str
    # Bytes that the application has not read, and bytes that the peer has not acknowledged.
    received_bytes: int
    unsent_bytes: int
    # Memory that the kernel charges for what waits to be sent (skmem `w`).
    send_memory_bytes: int
    # Whether a process still has a descriptor of it.
    is_owned: bool
    peer: str


def sockets(port: int) -> list[Socket]:
    """All sockets of the server that listens on this port, but the listeners; those in TIME-WAIT hold no bytes."""
    command = ["ss", "-tanpmHO", "sport", "=", f":{port}"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [socket for line in lines if (socket := _parsed(line)).state not in ("LISTEN", "TIME-WAIT")]


def _parsed(line: str) -> Socket:
    words = line.split()
    memory = re.search(r"skmem:\(([^)]*)\)", line)
    fields = dict(re.findall(r"([a-z]+)(\d+)", memory[1])) if memory else {}
    return Socket(
        state=words[0],
        received_bytes=int(words[1]),
        unsent_bytes=int(words[2]),
        send_memory_bytes=int(fields.get("w", 0)),
        is_owned="users:(" in line,
        peer=words[4],
    )


def held_bytes(port: int) -> int:
    """Bytes that the kernel holds of all connections of a port, whoever still knows of them."""
    return sum(socket.send_memory_bytes + socket.received_bytes for socket in sockets(port))


def orphans() -> int:
    """Sockets of the whole machine that no process has any more and that have not ended."""
    text = Path("/proc/net/sockstat").read_text()
    match = re.search(r"^TCP:.* orphan (\d+)", text, re.MULTILINE)
    return int(match[1]) if match else 0

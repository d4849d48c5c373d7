"""Clients that a rig plays by hand: plain sockets that say what they like and read when they like."""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests" / "Vectors"))

import tickwire as tw

PATIENCE_SECONDS = 20.0
# The smallest that Linux takes; it counts it twice.
TINY_BUFFER_BYTES = 2048


class PeerError(Exception):
    """The server did not do what every client may expect of it."""


class Peer:
    """One client. Every wait is bounded; what is sent and read is up to the rig."""

    def __init__(self, address: str, receive_bytes: int | None = None, source: str | None = None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        if source is not None:
            self.socket.bind((source, 0))
        self.socket.settimeout(PATIENCE_SECONDS)
        self.socket.connect((host, int(port)))
        self.name = "{}:{}".format(*self.socket.getsockname())
        self.reader = tw.MessageReader(tw.DEFAULT_SERVER_LIMIT)
        self.bytes_read = 0

    # Out

    def say(self, name: str, **fields: Any) -> None:
        self.socket.sendall(tw.encode_message("client", name, fields))

    def hello(self) -> None:
        self.say("Hello", version=tw.PROTOCOL_VERSION, capabilities=0, credential=0)

    def join(self, room: str, kind: str = "arena") -> None:
        self.say("Join", flags=0, room=room, roomKind=kind, schemaHash=0, options=b"")

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def deafen(self) -> None:
        """The kernel drops every packet that comes from now on, as when the machine lost power. Nothing is sent either."""
        instruction = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
        program = struct.pack("HL", 1, ctypes.addressof(instruction))
        self.socket.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_ATTACH_FILTER", 26), program)

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        self.socket.close()

    # In

    def next(self, seconds: float = PATIENCE_SECONDS) -> tw.Message | None:
        """The next message but frames, which are not decoded; None at the end of the stream."""
        deadline = time.monotonic() + seconds
        while True:
            while (raw := self.reader.next()) is not None:
                if raw.type not in (0x13, 0x17):
                    message = tw.decode_message("server", raw)
                    if message is not None:
                        return message
            if not self.read(deadline):
                return None

    def read(self, deadline: float) -> bool:
        """Takes what there is; False at the end of the stream."""
        self.socket.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            data = self.socket.recv(1 << 16)
        except TimeoutError as error:
            raise PeerError(f"{self.name} heard nothing in time") from error
        self.bytes_read += len(data)
        self.reader.feed(data)
        return bool(data)

    def until(self, name: str, seconds: float = PATIENCE_SECONDS) -> tw.Message:
        deadline = time.monotonic() + seconds
        while (message := self.next(deadline - time.monotonic())) is not None:
            if message.name == name:
                return message
        raise PeerError(f"{self.name} was ended before it got {name}")

"""The built programs, for the tests of the failures' rig."""

from __future__ import annotations

import os
import socket
import struct
import sys
import time
import unittest
from pathlib import Path
from typing import Callable

REPOSITORY = Path(__file__).resolve().parents[2]
# As `make test` builds them; BIN names another folder.
BIN = Path(os.environ.get("BIN", REPOSITORY / ".build/debug"))
PATIENCE_SECONDS = 20

sys.path.insert(0, str(REPOSITORY / "Benchmarks/Failures"))
sys.path.append(str(REPOSITORY / "scripts/immunity"))

from failures.server import Server


def message(text: bytes) -> bytes:
    return struct.pack("<I", len(text)) + text


class Client:
    """A connection that sends and reads messages only when told to."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.socket()
        # Small, so that few messages are taken by the kernel for one that does not read.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(PATIENCE_SECONDS)
        self.socket.connect(("127.0.0.1", server.port))

    def send(self, *texts: bytes) -> None:
        self.socket.sendall(b"".join(message(text) for text in texts))

    def read(self, count: int) -> list[bytes]:
        return [self._exactly(struct.unpack("<I", self._exactly(4))[0]) for _ in range(count)]

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self.socket.recv(count - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    def hears_nothing(self) -> bool:
        self.socket.settimeout(0.2)
        try:
            return self.socket.recv(1) == b"never"
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_SECONDS)

    def close(self) -> None:
        self.socket.close()


class ServerTestCase(unittest.TestCase):
    def start(self, mode: str, *more: str) -> Server:
        server = Server([str(BIN / "NaiveServer"), "--mode", mode, "--port", "any", *more])
        self.addCleanup(server.stop)
        return server

    def clients(self, server: Server, count: int) -> list[Client]:
        """Clients that the server has accepted: a broadcast reaches them."""
        before = self.descriptors(server)
        made = [Client(server) for _ in range(count)]
        for client in made:
            self.addCleanup(client.close)
        self.wait(lambda: self.descriptors(server) == before + count, "the clients were not accepted")
        return made

    def descriptors(self, server: Server) -> int:
        sample = server.sample(0)
        self.assertIsNotNone(sample, "the server has ended")
        return sample.descriptors if sample else 0

    def wait(self, condition: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, otherwise)
            time.sleep(0.01)

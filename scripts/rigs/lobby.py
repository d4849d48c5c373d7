"""Connections that said Hello, were welcomed, and then only answer pings: in no room. Run as a process of its own.

    python3 lobby.py 127.0.0.1:7777 COUNT SECONDS [SOURCE ADDRESS]

Prints `welcomed N` once all are, holds them for so long, prints `held N` and closes them.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests" / "Vectors"))

import tickwire as tw  # noqa: E402

# As many handshakes as a server with a small backlog takes at once.
UNDER_WAY = 200
JOINING_SECONDS = 40.0


class Guest:
    """One connection and its conversation so far."""

    def __init__(self, server: tuple[str, int], source: str):
        self.reader = tw.MessageReader(tw.DEFAULT_SERVER_LIMIT)
        self.welcomed = False
        self.socket = socket.create_connection(server, 10, (source, 0))
        self.socket.sendall(
            tw.encode_message("client", "Hello", {"version": tw.PROTOCOL_VERSION, "capabilities": 0, "credential": 0})
        )
        self.socket.setblocking(False)

    def receive(self) -> bool:
        """False when the server has ended it."""
        try:
            data = self.socket.recv(4096)
        except ConnectionError:
            return False
        self.reader.feed(data)
        while (raw := self.reader.next()) is not None:
            message = tw.decode_message("server", raw)
            if message is not None and message.name == "Welcome":
                self.welcomed = True
            elif message is not None and message.name == "Ping":
                pong = {"token": message["token"], "time": time.monotonic_ns() // 1000}
                self.socket.sendall(tw.encode_message("client", "Pong", pong))
        return bool(data)


class Lobby:
    def __init__(self, server: tuple[str, int], source: str):
        self.server = server
        self.source = source
        self.selector = selectors.DefaultSelector()
        self.open = 0
        self.welcomed = 0

    def add(self) -> None:
        guest = Guest(self.server, self.source)
        self.selector.register(guest.socket, selectors.EVENT_READ, guest)
        self.open += 1

    def turn(self, seconds: float) -> None:
        for key, _ in self.selector.select(seconds):
            guest: Guest = key.data
            before = guest.welcomed
            if not guest.receive():
                self.selector.unregister(guest.socket)
                guest.socket.close()
                self.open -= 1
                self.welcomed -= before
            else:
                self.welcomed += guest.welcomed - before

    def fill(self, count: int) -> None:
        deadline = time.monotonic() + JOINING_SECONDS
        started = 0
        while self.welcomed < count and time.monotonic() < deadline:
            while started < count and self.open - self.welcomed < UNDER_WAY:
                self.add()
                started += 1
            self.turn(0.1)

    def hold(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.turn(min(left, 0.5))

    def close(self) -> None:
        for key in list(self.selector.get_map().values()):
            key.data.socket.close()
        self.selector.close()


def main(arguments: list[str]) -> int:
    host, port = arguments[0].rsplit(":", 1)
    lobby = Lobby((host, int(port)), arguments[3] if len(arguments) > 3 else "127.0.0.1")
    try:
        lobby.fill(int(arguments[1]))
        print(f"welcomed {lobby.welcomed}", flush=True)
        lobby.hold(float(arguments[2]))
        print(f"held {lobby.welcomed}", flush=True)
    finally:
        lobby.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

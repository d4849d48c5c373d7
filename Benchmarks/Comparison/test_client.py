"""The C programs. The client counts what a server sends, in whatever pieces it comes: scripted servers send it a known number."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Callable

FOLDER = Path(__file__).parent
MESSAGES = 100
# No message and no head ends where a piece does.
PIECE_BYTES = 7
# The client measures longer than the server waits, by far.
SENT_AFTER_SECONDS, MEASURED_MILLISECONDS = 0.5, 4000
PUBLISHED_BY, SENT_AT = 1, 1
# `tcpi_segs_in` of Linux's struct tcp_info.
SEGMENTS_IN_AT = 140
FRAME_SECONDS, EARLY_FRAMES, ALL_FRAMES = 1 / 30, 30, 90
STAMPED = struct.pack("<QI", SENT_AT, PUBLISHED_BY) + b"x" * 200

Read = Callable[[bytes], bytes]
Script = Callable[[socket.socket, Read], bytes]


def raw(connection: socket.socket, _: Read) -> bytes:
    assert connection.recv(4) == struct.pack("<I", 0)
    return struct.pack("<IQ", 208, SENT_AT) + b"x" * 200


def redis(connection: socket.socket, read: Read) -> bytes:
    hello = read(b"HELLO 3\r\n")
    connection.sendall(b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nmodules\r\n*0\r\n")
    rest = read(b"\r\n") if b"\r\n" not in hello.partition(b"HELLO 3\r\n")[2] else hello
    if b"SUBSCRIBE" not in rest:
        return b""
    connection.sendall(b">3\r\n$9\r\nsubscribe\r\n$6\r\nroom:0\r\n:1\r\n")
    return b">3\r\n$7\r\nmessage\r\n$6\r\nroom:0\r\n$%d\r\n%s\r\n" % (len(STAMPED), STAMPED)


def nats(connection: socket.socket, read: Read) -> bytes:
    connection.sendall(b'INFO {"server_id":"x"}\r\n')
    said = read(b"PING\r\n")
    connection.sendall(b"PONG\r\nPING\r\n")
    return b"MSG room.0 1 %d\r\n%s\r\n" % (len(STAMPED), STAMPED) if b"SUB room.0 1\r\n" in said else b""


def mqtt(connection: socket.socket, read: Read) -> bytes:
    read(b"member-")
    connection.sendall(b"\x20\x02\x00\x00")
    # A publisher publishes at once.
    if not connection.recv(64).startswith(b"\x82"):
        return b""
    connection.sendall(b"\x90\x03\x00\x01\x00")
    body = b"\x00\x06room/0" + STAMPED
    return b"\x30" + bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body


def websocket(connection: socket.socket, read: Read) -> bytes:
    asked = read(b"\r\n\r\n")
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
    return b"\x89\x02hi\x82\x7e" + struct.pack(">H", len(STAMPED)) + STAMPED if asked.startswith(b"GET /sub/0 ") else b""


class ScriptedServer:
    def __init__(self, script: Script) -> None:
        self.script = script
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def read(end: bytes) -> bytes:
            said = b""
            while end not in said:
                said += connection.recv(4096)
            return said

        with connection, contextlib.suppress(OSError):  # when the client has ended
            stream = self.script(connection, read) * MESSAGES
            time.sleep(SENT_AFTER_SECONDS)
            for start in range(0, len(stream), PIECE_BYTES):
                connection.sendall(stream[start : start + PIECE_BYTES])
            while connection.recv(4096):
                pass


def acknowledged(connection: socket.socket, frame: bytes) -> float:
    """Sends frames, one a tick and without a pause since the handshake. How many segments came for each of the later ones."""

    def segments() -> int:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        return int(struct.unpack_from("<I", info, SEGMENTS_IN_AT)[0])

    for number in range(ALL_FRAMES):
        if number == EARLY_FRAMES:
            before = segments()
        connection.sendall(frame)
        time.sleep(FRAME_SECONDS)
    return (segments() - before) / (ALL_FRAMES - EARLY_FRAMES)


@unittest.skipIf(shutil.which("cc") is None, "no C compiler")
class Programs(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        built = subprocess.run(["make", "-s", "-C", FOLDER, f"OUT={folder.name}"], capture_output=True, text=True)
        self.assertEqual(built.returncode, 0, built.stderr)

    def start(self, dialect: str, port: int) -> subprocess.Popen[str]:
        command = [self.folder / "client", "--dialect", dialect, "--port", str(port), "--members", "1"]
        command += ["--watch", str(os.getpid()), "--warm-milliseconds", "1", "--milliseconds", str(MEASURED_MILLISECONDS)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_every_message_is_counted_once_in_every_dialect(self) -> None:
        scripts = {"raw": raw, "redis": redis, "nats": nats, "mqtt": mqtt, "websocket": websocket}
        servers = {dialect: ScriptedServer(script) for dialect, script in scripts.items()}
        clients = {dialect: self.start(dialect, server.port) for dialect, server in servers.items()}
        for dialect, client in clients.items():
            with self.subTest(dialect):
                output, errors = client.communicate(timeout=30)
                self.assertEqual(client.returncode, 0, errors)
                counts = json.loads(output)
                self.assertEqual(counts["frames"], MESSAGES)
                self.assertEqual(counts["updates"], 0 if dialect == "raw" else MESSAGES)
                self.assertAlmostEqual(counts["minFramesPerSecond"] * counts["seconds"], MESSAGES, delta=0.1)
        for server in servers.values():
            server.listener.close()

    def test_each_frame_is_acknowledged_as_it_is_read_whatever_the_handshake(self) -> None:
        for dialect, script in {"raw": raw, "mqtt": mqtt}.items():
            with self.subTest(dialect):
                told: queue.Queue[float] = queue.Queue()

                def serve(connection: socket.socket, read: Read, script: Script = script, told: queue.Queue[float] = told) -> bytes:
                    frame = script(connection, read)
                    if frame:
                        told.put(acknowledged(connection, frame))
                    return b""

                server = ScriptedServer(serve)
                client = self.start(dialect, server.port)
                self.assertGreaterEqual(told.get(timeout=30), 0.9)
                client.communicate(timeout=30)
                server.listener.close()

    def test_a_server_that_goes_away_is_a_failure(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        client = self.start("raw", listener.getsockname()[1])
        listener.accept()[0].close()
        _, errors = client.communicate(timeout=30)
        listener.close()
        self.assertEqual(client.returncode, 1)
        self.assertIn("the server closed connection 0", errors)

    def test_floor_and_libuv_send_every_member_frames_of_the_size_asked_for(self) -> None:
        for program in ("floor", "uv"):
            with self.subTest(program):
                server = subprocess.Popen([self.folder / program, "--size", "777"], stdout=subprocess.PIPE, text=True)
                self.addCleanup(server.wait)
                self.addCleanup(server.terminate)
                assert server.stdout is not None
                port = server.stdout.readline().rpartition(":")[2].strip()
                server.stdout.close()
                # Members talk as well, in the full job.
                client = [self.folder / "client", "--dialect", "raw", "--port", port, "--members", "66", "--room-size", "2"]
                client += ["--shape", "full-job", "--watch", str(server.pid), "--milliseconds", "1000"]
                done = subprocess.run(client, capture_output=True, text=True, timeout=30)
                self.assertEqual(done.returncode, 0, done.stderr)
                counts = json.loads(done.stdout)
                self.assertEqual(counts["bytes"], 777 * counts["frames"])
                self.assertGreater(counts["minFramesPerSecond"], 0)
                self.assertGreater(counts["published"], 0)
                # A part of the whole, and no member got more than all had on average.
                steady = counts["steady"]
                self.assertLessEqual(steady["seconds"] + steady["slowSeconds"], counts["seconds"])
                for what in ("frames", "published", "serverCPUSeconds"):
                    self.assertLessEqual(steady[what], counts[what])
                if steady["seconds"]:
                    self.assertLessEqual(steady["minFramesPerSecond"] * steady["seconds"], steady["frames"] / 66 + 0.1)


if __name__ == "__main__":
    unittest.main()

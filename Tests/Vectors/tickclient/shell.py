"""The socket and the timers around a Conversation."""

from __future__ import annotations

import argparse
import select
import socket
import struct
import time
from typing import Callable

from .conversation import Conversation, Phase
from .violation import Violation

INPUTS_PER_SECOND = 10
LEAVE_SECONDS = 3.0
CONNECT_SECONDS = 5.0


def microseconds() -> int:
    return time.monotonic_ns() // 1000


class Timer:
    """Due `rate` times a second, never catching up in a burst."""

    def __init__(self, rate: float, start: float):
        self.interval = 1 / rate if rate > 0 else float("inf")
        self.due = start + self.interval

    def take(self, now: float) -> bool:
        if now < self.due:
            return False
        self.due = max(self.due + self.interval, now)
        return True


class Shell:
    """The socket and the timers around a Conversation."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        token = options.token.encode() if options.token is not None else None
        self.conversation = Conversation(options.room, options.room_kind, token)
        self.socket = self._connect()
        self.start = time.monotonic()
        self.cut_due = self.start + options.resume_after if options.resume_after is not None else None
        self.timers: list[tuple[Timer, Callable[[], None]]] = [
            (Timer(1, self.start), lambda: self.conversation.ping(microseconds())),
            (Timer(INPUTS_PER_SECOND, self.start), self.conversation.walk),
            (Timer(options.send_events, self.start), self.conversation.raise_event),
        ]

    def run(self) -> None:
        try:
            self._converse(self.start + self.options.seconds)
            self.conversation.leave()
            if self.conversation.phase == Phase.LEAVING:
                self._converse(time.monotonic() + LEAVE_SECONDS)
            if self.conversation.phase == Phase.LEAVING:
                raise Violation(f"no Left within {LEAVE_SECONDS} s of Leave")
            if self.conversation.phase == Phase.JOIN and self.conversation.refused is None:
                raise Violation("no answer to Join")
            if self.conversation.phase == Phase.HELLO:
                raise Violation("no answer to Hello")
            if self.conversation.needs_keyframe and self.conversation.goodbye is None:
                raise Violation("no keyframe after Joined")
            if self.cut_due is not None and self.conversation.goodbye is None and self.conversation.refused is None:
                raise Violation("the time was over before the connection could be cut and resumed")
        finally:
            self.socket.close()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection((self.options.host, self.options.port), CONNECT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.conversation.connect()
        return connection

    def _converse(self, deadline: float) -> None:
        while self._active() and (now := time.monotonic()) < deadline:
            self._flush()
            due = min(deadline, *(timer.due for timer, _ in self.timers), self._cut_time())
            readable, _, _ = select.select([self.socket], [], [], max(0.0, due - now))
            if readable and not self._receive():
                return
            self._run_timers()
        self._flush()

    def _active(self) -> bool:
        return self.conversation.phase not in (Phase.ENDED, Phase.LEFT) and self.conversation.refused is None

    def _run_timers(self) -> None:
        now = time.monotonic()
        for timer, action in self.timers:
            if timer.take(now):
                action()
        if now >= self._cut_time():
            self.cut_due = None
            self._cut()

    def _cut_time(self) -> float:
        """When to cut; never before there is something to resume."""
        playing = self.conversation.phase == Phase.ROOM and not self.conversation.needs_keyframe
        return self.cut_due if self.cut_due is not None and playing else float("inf")

    def _cut(self) -> None:
        """Ends the connection with a reset, as a lost one, and comes back with the ticket."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        self.socket = self._connect()

    def _flush(self) -> None:
        data = bytes(self.conversation.outgoing)
        self.conversation.outgoing.clear()
        if data:
            try:
                self.socket.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # what the server said last is still to be read

    def _receive(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if data:
            self.conversation.receive(data, microseconds())
        else:
            self.conversation.closed()
        return bool(data)

"""Two network namespaces with a slow link between them: the server in one, its clients in the other. Needs root."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from ctypes import CDLL, get_errno
from pathlib import Path
from typing import Any

NAMESPACE_FLAG = 0x40000000
SERVER_HOST, CLIENT_HOST = "10.98.0.1", "10.98.0.2"
# The bottleneck's queue: as long as those of a phone's provider.
QUEUE_SECONDS = 1.0
RELAY = Path(__file__).with_name("lagnet.py")


class NamespaceError(Exception):
    """The namespaces cannot be made: no root, or no `ip`."""


class Link:
    """`rate` in bytes a second from server to client, `round_trip` in seconds, `loss` in percent each way."""

    def __init__(self, rate: float | None, round_trip: float = 0.0, loss: float = 0.0):
        self.rate, self.round_trip, self.loss = rate, round_trip, loss
        self.server, self.client = (f"thin{side}{os.getpid()}" for side in "sc")
        self.server_host = SERVER_HOST
        self.server_prefix = ["ip", "netns", "exec", self.server]
        self.stack = ExitStack()

    def __enter__(self) -> Link:
        try:
            self._make()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def _make(self) -> None:
        for name in (self.server, self.client):
            run("ip", "netns", "add", name)
            self.stack.callback(run, "ip", "netns", "delete", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        if self.round_trip > 0 or self.loss > 0:
            arguments = (self.server, self.client, str(self.round_trip * 500), "0", str(self.loss))
            relay = subprocess.Popen([sys.executable, str(RELAY), *arguments])
            self.stack.callback(relay.wait)
            self.stack.callback(relay.kill)
            self._wait_for("em0", relay)
            device = "em0"
        else:
            device = "veth0"
            run("ip", "-n", self.server, "link", "add", device, "type", "veth", "peer", "name", device, "netns", self.client)
            for name, host in ((self.server, SERVER_HOST), (self.client, CLIENT_HOST)):
                run("ip", "-n", name, "addr", "add", f"{host}/24", "dev", device)
                run("ip", "-n", name, "link", "set", device, "up")
        self.device = device
        if self.rate is not None:
            self.limit(self.rate, "add")

    def limit(self, rate: float, verb: str = "change") -> None:
        """What goes from server to client from now on, in bytes a second."""
        queue = max(8000, int(rate * QUEUE_SECONDS))
        shape = ["rate", f"{int(rate * 8)}bit", "burst", "3000", "limit", str(queue)]
        run("tc", "-n", self.server, "qdisc", verb, "dev", self.device, "root", "tbf", *shape)

    def _wait_for(self, device: str, relay: subprocess.Popen[Any]) -> None:
        deadline = time.monotonic() + 5
        for name in (self.server, self.client):
            while subprocess.run(["ip", "-n", name, "addr", "show", device], capture_output=True, text=True).stdout.count("10.98") == 0:
                if time.monotonic() > deadline or relay.poll() is not None:
                    raise NamespaceError("the relay between the namespaces does not start")
                time.sleep(0.05)


def enter(name: str) -> None:
    """This process' sockets are of that namespace from now on."""
    descriptor = os.open(f"/var/run/netns/{name}", os.O_RDONLY)
    try:
        if CDLL(None, use_errno=True).setns(descriptor, NAMESPACE_FLAG) != 0:
            raise NamespaceError(f"cannot enter the namespace {name}: {os.strerror(get_errno())}")
    finally:
        os.close(descriptor)


def run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise NamespaceError(f"{command[0]} is missing: install iproute2") from error
    if done.returncode != 0:
        raise NamespaceError(f"{' '.join(command)}: {done.stderr.strip()}")

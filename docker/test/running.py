"""A container of the server that runs, seen through the engine and through /proc of the host."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

from engine import Engine, EngineError, Volume
from memory_cgroup import MemoryCgroup, of_process

START_SECONDS = 20.0
DESCRIPTORS = 4096
CONFIG = "/etc/tickserver.yaml"


class Running:
    """Host networking on free ports of loopback: no bridge is needed, and nothing is reachable from elsewhere."""

    def __init__(self, engine: Engine, image: str, memory_mebibytes: int, config: Path, settings: list[str]):
        self.engine = engine
        self.limit = memory_mebibytes << 20
        memory = f"{memory_mebibytes}m"
        options = ["--detach", "--network", "host", "--memory", memory, "--memory-swap", memory, "--read-only"]
        options += ["--cap-drop", "all", "--security-opt", "no-new-privileges", *engine.run_options]
        options += ["--ulimit", f"nofile={DESCRIPTORS}:{DESCRIPTORS}"]
        options += ["--volume", Volume(str(config), CONFIG).argument]
        for name, value in self._environment(settings).items():
            options += ["--env", f"{name}={value}"]
        self.container = engine.call("run", *options, image).splitlines()[-1]
        self.address = self.admin = ""

    def _environment(self, settings: list[str]) -> dict[str, str]:
        """The health check runs beside the server and must find its admin port: in the environment, not in flags."""
        pairs = {"config": CONFIG, "host": "127.0.0.1", "port": "any", "admin.port": str(_free_port())}
        pairs |= dict(setting.split("=", 1) for setting in settings)
        return {_variable(key): value for key, value in pairs.items()}

    def wait_until_listening(self) -> None:
        self.address = self._told(r"(?<!admin )listening address=(127\.0\.0\.1:\d+)")
        self.admin = self._told(r"admin listening address=(127\.0\.0\.1:\d+)")

    def _told(self, pattern: str) -> str:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.runs():
            if (match := re.search(pattern, self.logs())) is not None:
                return match[1]
            time.sleep(0.2)
        raise EngineError(f"the container does not listen ({self.state_text()}):\n{self.logs()}")

    def runs(self) -> bool:
        return self.engine.state(self.container)["Status"] == "running"

    def state_text(self) -> str:
        state = self.engine.state(self.container)
        return f"{state['Status']}, exit status {state['ExitCode']}"

    def logs(self) -> str:
        return self.engine.logs(self.container)

    def healthy(self) -> bool:
        return self.engine.health(self.container)

    @property
    def _process(self) -> Path:
        return Path(f"/proc/{self.engine.state(self.container)['Pid']}")

    def status(self) -> dict[str, str]:
        lines = (self._process / "status").read_text().splitlines()
        return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}

    def root_is_read_only(self) -> bool:
        mounts = [line.split() for line in (self._process / "mountinfo").read_text().splitlines()]
        return any(mount[4] == "/" and "ro" in mount[5].split(",") for mount in mounts)

    def cgroup(self) -> MemoryCgroup:
        return of_process(int(self._process.name), self.limit)

    def stop(self, grace_seconds: int) -> int:
        """Its exit status."""
        self.engine.call("stop", "--time", str(grace_seconds), self.container)
        return int(str(self.engine.state(self.container)["ExitCode"]))

    def remove(self) -> None:
        self.engine.call("rm", "--force", self.container)


def _variable(key: str) -> str:
    """admin.port is TICKSERVER_ADMIN_PORT, maxRooms is TICKSERVER_MAX_ROOMS."""
    return "TICKSERVER_" + re.sub(r"(?<=[a-z])(?=[A-Z])|\.", "_", key).upper()


def _free_port() -> int:
    """Free now; nobody else on this machine is likely to take it within a second."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

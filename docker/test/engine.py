"""A container engine: Docker where one runs, else podman with an image store of the test's own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

CALL_SECONDS = 1800
PROCESSES = 4096


@dataclass(frozen=True)
class Volume:
    """A folder of the host, read-only at a place in the container."""

    host: str
    inside: str

    @property
    def argument(self) -> str:
        return f"{self.host}:{self.inside}:ro"


class EngineError(Exception):
    """A call of the engine failed."""


class Engine:
    """What Docker and podman have in common."""

    def __init__(self, command: list[str], environment: dict[str, str]):
        self.command = command
        self.environment = os.environ | environment

    def call(self, *arguments: str, seconds: float = CALL_SECONDS) -> str:
        """Its output. Progress goes to the terminal."""
        done = self._run(arguments, seconds)
        if done.returncode != 0:
            raise EngineError(f"{' '.join([self.command[0], *arguments])}\n{done.stderr}{done.stdout}".rstrip())
        return done.stdout.strip()

    def succeeds(self, *arguments: str, seconds: float = 60) -> bool:
        try:
            return self._run(arguments, seconds).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def _run(self, arguments: tuple[str, ...], seconds: float) -> subprocess.CompletedProcess[str]:
        command = [*self.command, *arguments]
        return subprocess.run(command, env=self.environment, text=True, capture_output=True, timeout=seconds)

    def build(self, dockerfile: Path, tag: str, context: Path, volumes: list[Volume]) -> None:
        """Shows the build's own output."""
        command = [*self.command, "build", *self.build_options, "--tag", tag, "--file", str(dockerfile)]
        for volume in volumes:
            command += ["--volume", volume.argument]
        if subprocess.run([*command, str(context)], env=self.environment, timeout=CALL_SECONDS).returncode != 0:
            raise EngineError("the image could not be built (above)")

    build_options: list[str] = []
    run_options: list[str] = []

    def size(self, image: str) -> int:
        return int(self.call("image", "inspect", "--format", "{{.Size}}", image))

    def state(self, container: str) -> dict[str, object]:
        return dict(json.loads(self.call("inspect", "--format", "{{json .State}}", container)))

    def logs(self, container: str) -> str:
        done = self._run(("logs", container), 60)
        return done.stdout + done.stderr

    def has(self, image: str) -> bool:
        return self.succeeds("image", "inspect", image)

    def pull(self, image: str, seconds: float) -> bool:
        return self.succeeds("pull", "--quiet", image, seconds=seconds)

    def label(self, image: str, name: str) -> str:
        return self.call("image", "inspect", "--format", f'{{{{index .Config.Labels "{name}"}}}}', image)

    def health(self, container: str) -> bool:
        """Whether the image's own health check passes now."""
        raise NotImplementedError

    def close(self) -> None:
        """Leaves nothing behind but images."""


class Docker(Engine):
    name = "docker"

    def __init__(self) -> None:
        super().__init__(["docker"], {})

    def health(self, container: str) -> bool:
        command = json.loads(self.call("inspect", "--format", "{{json .Config.Healthcheck.Test}}", container))
        return self.succeeds("exec", container, *command[1:])


class Podman(Engine):
    """With runc, cgroupfs and host networking: works as root in a sandbox without systemd or a bridge."""

    name = "podman"
    # OCI images have no health check.
    build_options = ["--format", "docker", "--layers"]
    # Health checks on a timer need systemd; the test runs them itself. A strict --read-only has no writable /tmp either.
    run_options = ["--health-interval", "disable", "--read-only-tmpfs=false"]

    def __init__(self, scratch: Path) -> None:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        # A number of their own, since podman asks for more than a sandbox may have.
        processes = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        processes = PROCESSES if processes < 0 else min(PROCESSES, processes)
        self.run_options = [*self.run_options, "--ulimit", f"nproc={processes}:{processes}"]
        self.scratch = scratch
        configuration = scratch / "containers.conf"
        configuration.write_text(
            "[containers]\n"
            f'default_ulimits = ["nofile={limit}:{limit}", "nproc={processes}:{processes}"]\n'
            'netns = "host"\n'
            "[engine]\n"
            'runtime = "runc"\n'
            'cgroup_manager = "cgroupfs"\n'
            'events_logger = "file"\n'
        )
        super().__init__(
            ["podman", "--root", str(scratch / "storage"), "--runroot", str(scratch / "run")],
            {"CONTAINERS_CONF": str(configuration)},
        )

    def health(self, container: str) -> bool:
        return self.succeeds("healthcheck", "run", container)

    def close(self) -> None:
        """Its store stays mounted otherwise, and cannot be deleted; an interrupted build leaves its layers as well."""
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for folder in reversed([mount for mount in mounts if Path(mount).is_relative_to(self.scratch)]):
            subprocess.run(["umount", folder], check=False)


def docker_runs() -> bool:
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=20).returncode == 0
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False

"""The Dockerfile's base images where no registry can be reached: made from the Debian archive and the Swift toolchain of
this machine. They live in the test's own image store under the names of the real ones, and nowhere else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from engine import Podman, Volume

# Run and build containers where no engine is installed.
PACKAGES = (
    "podman", "buildah", "runc", "conmon", "debootstrap", "containernetworking-plugins", "netavark", "aardvark-dns"
)  # fmt: skip
PULL_SECONDS = 120
TOOLCHAIN = "/opt/toolchain"
DEBIAN_MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")
# What a Swift toolchain needs to run and to link, of the official image's list.
SWIFT_PACKAGES = (
    "binutils ca-certificates gcc git libc6-dev libcurl4 libedit2 libncurses6 libsqlite3-0 libstdc++-12-dev libxml2 "
    "libz3-4 tzdata zlib1g-dev"
)
# What the official slim image leaves out as well.
NOT_IN_SLIM = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var/lib/apt/lists", "var/cache/apt")


def named_in(dockerfile: Path) -> tuple[str, str]:
    """The defaults of SWIFT_IMAGE and RUNTIME_IMAGE, with the registry in the name."""
    text = dockerfile.read_text()
    names = [re.search(rf"^ARG {name}=(\S+)$", text, re.MULTILINE) for name in ("SWIFT_IMAGE", "RUNTIME_IMAGE")]
    found = [match[1] for match in names if match is not None]
    if len(found) != 2:
        raise RuntimeError(f"{dockerfile} has no ARG SWIFT_IMAGE= and ARG RUNTIME_IMAGE=")
    return f"docker.io/library/{found[0]}", f"docker.io/library/{found[1]}"


def provide(podman: Podman, dockerfile: Path, scratch: Path) -> list[Volume]:
    """Pulls the base images, or makes them. Gives what the build must mount: nothing with pulled ones."""
    swift, debian = named_in(dockerfile)
    if not podman.has(debian) and not podman.pull(debian, PULL_SECONDS):
        print(f"no registry can be reached: making {debian} from {DEBIAN_MIRROR}", flush=True)
        _make_debian(podman, debian, scratch)
    if not podman.has(swift) and not podman.pull(swift, PULL_SECONDS):
        print(f"making {swift} around the toolchain of this machine", flush=True)
        _make_swift(podman, swift, debian, scratch)
    return _build_volumes(scratch) if podman.label(swift, "tickserver.toolchain") else []


def _make_debian(podman: Podman, name: str, scratch: Path) -> None:
    root = scratch / "debian"
    shutil.rmtree(root, ignore_errors=True)
    suite = re.search(r"bookworm|trixie|bullseye", name)
    with (scratch / "debootstrap.log").open("w") as log:
        command = ["debootstrap", "--variant=minbase", suite[0] if suite else "stable", str(root), DEBIAN_MIRROR]
        if subprocess.run(command, stdout=log, stderr=log).returncode != 0:
            raise RuntimeError(f"debootstrap from {DEBIAN_MIRROR} failed (DEBIAN_MIRROR names another): {log.name}")
    for folder in NOT_IN_SLIM:
        shutil.rmtree(root / folder, ignore_errors=True)
        (root / folder).mkdir(parents=True)
    archive = scratch / "debian.tar"
    subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
    podman.call("import", "--quiet", "--change", 'CMD ["bash"]', str(archive), name)
    archive.unlink()
    shutil.rmtree(root)


def _make_swift(podman: Podman, name: str, debian: str, scratch: Path) -> None:
    """The toolchain is 3 GiB: mounted into the build instead of copied into the image."""
    (scratch / "swift.Dockerfile").write_text(
        f"FROM {debian}\n"
        f"RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends {SWIFT_PACKAGES} >/dev/null\n"
        f"ENV PATH={TOOLCHAIN}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
        "LABEL tickserver.toolchain=mounted\n"
    )
    podman.call("build", "--quiet", "--tag", name, "--file", str(scratch / "swift.Dockerfile"), str(scratch))


def _build_volumes(scratch: Path) -> list[Volume]:
    """The toolchain, and where git is told to find packages on this machine."""
    swift = shutil.which("swift")
    if swift is None:
        raise RuntimeError("swift is not in PATH: without a registry its toolchain builds the image")
    volumes = [Volume(str(Path(swift).resolve().parent.parent), TOOLCHAIN)]
    listed = subprocess.run(["git", "config", "--get-regexp", r"^url\..*\.insteadof$"], text=True, capture_output=True)
    rewrites = [line.split(" ", 1) for line in listed.stdout.splitlines()]
    folders = {key.split(".", 1)[1].rsplit(".", 1)[0] for key, _ in rewrites}
    volumes += [Volume(folder, folder) for folder in sorted(folders) if folder.startswith("/")]
    config = scratch / "gitconfig"
    config.write_text("[safe]\n\tdirectory = *\n")
    for key, replaced in rewrites:
        subprocess.run(["git", "config", "--file", str(config), "--add", key, replaced], check=True)
    return volumes + [Volume(str(config), "/etc/gitconfig")]

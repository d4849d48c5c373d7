"""The servers that are compared, each as it is started for this job, in its best shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from . import FOLDER

# Where the client has it connect to: a port that the driver found free. Servers that choose one themselves print it.
Command = Callable[[Path, int, int], list[str]]


@dataclass(frozen=True)
class Contestant:
    key: str
    title: str
    # Which of the client's dialects it speaks.
    dialect: str
    # From a folder for its files, a free port and the size of a frame.
    command: Command
    # Sends one frame a tick, with all that happened in it. The others send a message for each publication.
    has_tick: bool = False
    # Sends frames of its own making, and does nothing with what members send.
    is_floor: bool = False
    # The Debian package that it comes from, for its version.
    package: str = ""
    # Chooses its port itself and says `listening address=127.0.0.1:PORT`.
    tells_port: bool = False
    # False where helper threads of a real-time process would take the core from the one that serves.
    may_be_realtime: bool = True
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def is_rival(self) -> bool:
        return bool(self.package)


def written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def redis(folder: Path, port: int, _: int) -> list[str]:
    # Nothing on disk; subscribers are not cut off for being slow: then they would not count.
    settings = {"port": port, "bind": "127.0.0.1", "save": '""', "appendonly": "no", "dir": folder, "maxclients": 15000}
    settings |= {"client-output-buffer-limit": "pubsub 0 0 0", "tcp-backlog": 1024, "loglevel": "warning"}
    lines = "".join(f"{name} {value}\n" for name, value in settings.items())
    return ["redis-server", written(folder, "redis.conf", lines)]


def nats(folder: Path, port: int, _: int) -> list[str]:
    text = f"""host: 127.0.0.1
port: {port}
max_connections: 15000
max_pending: 256MB
write_deadline: "60s"
"""
    return ["nats-server", "--config", written(folder, "nats.conf", text)]


def mosquitto(folder: Path, port: int, _: int) -> list[str]:
    text = f"""listener {port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
max_queued_messages 0
sys_interval 0
log_type error
log_dest stderr
"""
    return ["mosquitto", "-c", written(folder, "mosquitto.conf", text)]


def nchan(folder: Path, port: int, _: int) -> list[str]:
    # One worker; a message is kept only until it was sent.
    locations = "".join(
        f"    location ~ ^/{name}/(\\d+)$ {{ {role} websocket; nchan_channel_id $1; nchan_message_buffer_length 1; }}\n"
        for name, role in (("sub", "nchan_subscriber"), ("pub", "nchan_publisher"), ("pubsub", "nchan_pubsub"))
    )
    text = f"""load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off;
worker_processes 1;
worker_rlimit_nofile 19000;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 18000; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  nchan_shared_memory_size 256m;
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    tcp_nodelay on;
{locations}  }}
}}
"""
    return ["/usr/sbin/nginx", "-e", "stderr", "-p", str(folder), "-c", written(folder, "nginx.conf", text)]


def node(_: Path, port: int, __: int) -> list[str]:
    return ["node", str(FOLDER / "servers/ws-server.js"), str(port)]


def all_contestants(tickserver: Path, programs: Path) -> list[Contestant]:
    """The floor first: all ratios are to it. What is compared most closely stands next to it."""
    config = str(FOLDER / "tickserver.yaml")
    return [
        Contestant(
            "floor", "C, epoll (floor)", "raw", lambda _, __, size: [str(programs / "floor"), "--size", str(size)],
            has_tick=True, is_floor=True, tells_port=True,
        ),
        Contestant(
            "tickserver", "TickServer", "tickserver", lambda _, __, ___: [str(tickserver), "--config", config],
            has_tick=True, tells_port=True,
        ),
        Contestant(
            "uv", "C, libuv", "raw", lambda _, __, size: [str(programs / "uv"), "--size", str(size)],
            has_tick=True, is_floor=True, tells_port=True,
        ),
        Contestant("redis", "redis pub/sub", "redis", redis, package="redis-server"),
        Contestant(
            "node", "node with ws", "websocket", node, package="node-ws", may_be_realtime=False,
            environment={"NODE_PATH": "/usr/share/nodejs"},
        ),
        Contestant("nchan", "nchan", "websocket", nchan, package="libnginx-mod-nchan"),
        Contestant("mosquitto", "mosquitto", "mqtt", mosquitto, package="mosquitto"),
        Contestant("nats", "nats-server", "nats", nats, package="nats-server"),
    ]  # fmt: skip

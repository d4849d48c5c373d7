"""The command line: arguments in, report and exit code out."""

from __future__ import annotations

import argparse
import json
from typing import Any

import tickwire as tw

from .report import report
from .shell import Shell
from .violation import Violation


def json_default(value: Any) -> Any:
    return value.hex()


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Joins a room and checks that the server keeps to the protocol.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--room", required=True)
    parser.add_argument("--room-kind", required=True)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to stay, seconds")
    parser.add_argument("--token", help="credential token; without it none is sent")
    parser.add_argument("--resume-after", type=float, metavar="S", help="reset the connection after S seconds and resume")
    parser.add_argument("--send-events", type=float, default=0.0, metavar="N", help="reliable events to all, a second")
    parser.add_argument("--json", action="store_true", help="the report on one line")
    return parser.parse_args(arguments)


def play(options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """Runs a client to its end: the exit code and the report."""
    try:
        shell = Shell(options)
    except OSError as error:
        return 2, {"error": f"cannot connect to {options.host}:{options.port}: {error}", "violation": None}
    violation: str | None = None
    failure: str | None = None
    try:
        shell.run()
    except (Violation, tw.DecodeError) as error:
        violation = str(error)
    except OSError as error:
        failure = f"{type(error).__name__}: {error}"
    conversation = shell.conversation
    ended_early = failure is not None or conversation.goodbye is not None or conversation.refused is not None
    result = {**report(conversation), "violation": violation, "error": failure}
    return (1 if violation else 2 if ended_early else 0), result


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    code, result = play(options)
    print(json.dumps(result, default=json_default, indent=None if options.json else 2))
    return code

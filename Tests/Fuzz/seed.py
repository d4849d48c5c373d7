#!/usr/bin/env python3
"""Writes first inputs for the fuzzer, from the golden vectors and the documented configuration, into DIRECTORY/TARGET/.

The corpus in Tests/Fuzz/Corpus grew from these; run it again when the protocol or the targets' own formats change.
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECORD = b"\x1e"


def vectors(name):
    return json.loads((ROOT / "Tests/Vectors" / f"{name}.json").read_text())["vectors"]


def message_seeds():
    """Head byte (sender, limit 1 MiB, one chunk size), the size, the stream: Messages.swift."""
    for name in ("messages", "malformed"):
        for vector in vectors(name):
            if "hex" not in vector:
                continue
            head = 0x16 | (0 if vector.get("from") == "client" else 1)
            yield bytes([head, 6]) + bytes.fromhex(vector["hex"])


def frame_seeds():
    """Schema flag, schema with its length, then bodies with their lengths: Frames.swift."""

    def sized(data):
        return len(data).to_bytes(2, "little") + data

    for vector in vectors("schema"):
        if "hex" in vector:
            yield b"\x01" + sized(bytes.fromhex(vector["hex"]))
    for vector in vectors("frames"):
        steps = b""
        for step in vector.get("steps", []):
            message = bytes.fromhex(step["hex"])
            # Without the length prefix and the type.
            start = next(i for i, byte in enumerate(message) if byte < 0x80) + 2
            steps += sized(message[start:])
        yield b"\x01" + sized(bytes.fromhex(vector["schemaHex"])) + steps


def configuration_seeds():
    for path in ("docs/tickserver.yaml", "Examples/Relay/walk.yaml"):
        text = (ROOT / path).read_text()
        yield "\n".join(line.split("#")[0].rstrip() for line in text.splitlines() if line.split("#")[0].strip()).encode()
    yield b"port: 0\nmaxRoms: 5\nport: 1\n" + RECORD + b"ETICKSERVER_LOOPS=no" + RECORD + b"drain=1"
    yield b"auth: {tokens: [a, \"b\\u0007\"]}\nlog: {level: warn}" + RECORD + b"ETICKSERVER_LISTEN=[::1]:any" + RECORD + b"port=6"
    yield b"rooms: {r: {capacity: 3, entities: {e: {atJoin: 0, most: 2, fields: {f: {type: fixed, min: -0.3, max: 1e-3, step: 1e-5}, g: {type: vector, components: 2, min: 0, max: 9, step: 0.1}}}}}}"
    yield b"a: &a [1]\nb: *a\n? [x]\n: {y: 'z'}\nsendBuffer: 7e8 1e9\nidleDeadline: 0s\n"


def handshake_seeds():
    """Steps of HandshakeProgram.swift: connect, hello, join, tick, messages, resume from another connection, drain."""
    join = bytes([0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 11, 11])
    yield b"\x00" + join + bytes([6, 0, 0, 5, 1, 1, 0, 0, 1, 11, 4, 0, 11, 2, 0, 1, 0, 0, 0, 11])
    yield b"\x00" + join + bytes([0, 1, 1, 1, 2, 0, 3, 0, 0, 11, 10, 1, 0, 0, 1, 1, 3, 0, 1, 0, 0, 12, 30])
    yield b"\x01" + bytes([0, 0, 1, 0, 1, 2, 0, 0, 0, 0, 0, 9, 0]) + bytes([11] * 40) + bytes([13, 0, 7, 12, 200])
    yield b"\x00" + bytes([0, 0, 8, 0, 9]) + b"GET / HTTP/1.1\r\n"


def room_seeds():
    """Ten bytes of limits, eight of rules, a seed, fragmentation; then steps of RoomProgram.swift."""
    head = bytes([2, 9, 1, 1, 5, 2]) + bytes([0, 2, 3, 2, 1, 2, 0x0B, 2]) + bytes([7, 1])
    life = bytes([5, 0, 5, 0, 0, 0, 6, 0, 15, 9, 9, 3, 8, 0, 2, 30, 0, 8, 1, 1, 3, 0, 10, 0, 1, 3, 1, 2, 3, 3, 5])
    stall = bytes([13, 0, 8, 1, 2, 200, 8, 1, 2, 200, 0, 8, 1, 2, 200, 3, 7, 3, 7, 15, 0, 0])
    cut = bytes([16, 1, 0, 0, 0, 3, 2, 6, 1, 0, 3, 1, 17, 0, 3, 4, 11, 1, 0, 12, 1, 0, 0])
    yield head + life
    yield head + life + stall
    yield head + life + cut + stall + bytes([19, 0, 0, 5, 3, 1, 2, 3, 4, 0, 0])


def main():
    target_seeds = {
        "messages": message_seeds,
        "frames": frame_seeds,
        "handshake": handshake_seeds,
        "configuration": configuration_seeds,
        "room": room_seeds,
    }
    for target, seeds in target_seeds.items():
        folder = pathlib.Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(seeds()):
            (folder / f"seed-{number:03}").write_bytes(data)


main()

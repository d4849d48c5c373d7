"""Checks the golden vectors, Tests/Vectors/*.json, with an implementation that was written from docs/protocol.md alone.

    python3 check_vectors.py [FILE...]

Prints a table and every failure; the last line is "N passed, N failed". Exit code 1 on a failure or without a vector.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

import tickwire as tw

TOLERANCE = 1e-6
SAFE_INTEGER = 1 << 53  # above it, JSON numbers are written as decimal strings

LIMITS = {"client": tw.DEFAULT_CLIENT_LIMIT, "server": tw.DEFAULT_SERVER_LIMIT}
PARAMETERS = {
    tw.FieldType.UNSIGNED: ("bits",),
    tw.FieldType.SIGNED: ("bits",),
    tw.FieldType.FIXED: ("low", "high", "step"),
    tw.FieldType.VECTOR: ("components", "low", "high", "step"),
    tw.FieldType.ANGLE: ("steps",),
    tw.FieldType.QUATERNION: ("bits",),
    tw.FieldType.STRING: ("maxBytes",),
    tw.FieldType.BYTES: ("maxBytes",),
}


class Failure(Exception):
    """A vector that this implementation does not agree with."""


def expect(actual: Any, expected: Any, what: str) -> None:
    if actual != expected:
        raise Failure(f"{what}: decoded {actual!r}, the vector says {expected!r}")


# JSON forms


def integer_to_json(value: int) -> int | str:
    return str(value) if value > SAFE_INTEGER else value


def item_to_json(field: tw.Field, columns: Sequence[tw.Column]) -> Any:
    """A field's quantised value: a number, a list for vectors and quaternions, text or hex for blobs."""
    if field.type == tw.FieldType.STRING:
        return bytes(columns[0]).decode("utf-8")  # type: ignore[arg-type]
    if field.type == tw.FieldType.BYTES:
        return bytes(columns[0]).hex()  # type: ignore[arg-type]
    return list(columns) if len(columns) > 1 else columns[0]


def item_from_json(field: tw.Field, item: Any) -> tuple[tw.Column, ...]:
    if field.type == tw.FieldType.STRING:
        return (item.encode("utf-8"),)
    if field.type == tw.FieldType.BYTES:
        return (bytes.fromhex(item),)
    return tuple(item) if isinstance(item, list) else (int(item),)


def masked_fields(schema: tw.Schema | None, entry: dict[str, Any]) -> list[tw.Field]:
    if schema is None:
        raise Failure("an Input vector with entries needs schemaHex")
    fields = schema.kinds[entry["kind"]].fields
    return [field for index, field in enumerate(fields) if entry["mask"] >> index & 1]


def entry_to_json(entry: tw.Fields, schema: tw.Schema | None) -> Any:
    pairs = zip(masked_fields(schema, entry), entry["values"], strict=True)
    return {**entry, "values": [item_to_json(field, value) for field, value in pairs]}


def entry_from_json(entry: dict[str, Any], schema: tw.Schema | None) -> tw.Fields:
    pairs = zip(masked_fields(schema, entry), entry["values"], strict=True)
    return {**entry, "values": [item_from_json(field, item) for field, item in pairs]}


def part_to_json(part: tw.Part, value: Any, schema: tw.Schema | None) -> tuple[str, Any]:
    if part.codec.json == "bytes":
        return part.name + "Hex", value.hex()
    if part.codec.json == "int":
        return part.name, integer_to_json(value)
    if part.codec.json == "events":
        return part.name, [fields_to_json(tw.FRAME_EVENT, event, schema) for event in value]
    if part.codec.json == "entries":
        return part.name, [entry_to_json(entry, schema) for entry in value]
    return part.name, value


def fields_to_json(layout: tw.Layout, fields: tw.Fields, schema: tw.Schema | None) -> dict[str, Any]:
    pairs = [part_to_json(part, fields[part.name], schema) for part in layout.parts if part.name in fields]
    return {name: value for name, value in pairs if name != "magicHex"}


def part_from_json(part: tw.Part, value: Any, schema: tw.Schema | None) -> Any:
    if part.codec.json == "bytes":
        return bytes.fromhex(value)
    if part.codec.json == "int":
        return int(value)
    if part.codec.json == "events":
        return [fields_from_json(tw.FRAME_EVENT, event, schema) for event in value]
    if part.codec.json == "entries":
        return [entry_from_json(entry, schema) for entry in value]
    return value


def fields_from_json(layout: tw.Layout, fields: dict[str, Any], schema: tw.Schema | None) -> tw.Fields:
    result: tw.Fields = {}
    for part in layout.parts:
        name = part.name + "Hex" if part.codec.json == "bytes" else part.name
        if name in fields:
            result[part.name] = part_from_json(part, fields[name], schema)
    return result


def without_redundant(fields: dict[str, Any]) -> dict[str, Any]:
    """Drops what only repeats another field: the constant magic and the counts of lists."""
    return {name: value for name, value in fields.items() if name not in ("magic", "magicHex", "count")}


# Decoding


def schema_of(vector: dict[str, Any]) -> tw.Schema | None:
    return tw.Schema.decode(bytes.fromhex(vector["schemaHex"])) if "schemaHex" in vector else None


def required_schema(vector: dict[str, Any]) -> tw.Schema:
    schema = schema_of(vector)
    if schema is None:
        raise Failure(f"a vector of kind {vector['kind']} needs schemaHex")
    return schema


def decode_all(sender: str, chunks: Sequence[bytes], schema: tw.Schema | None) -> Iterator[tw.Message | None]:
    reader = tw.MessageReader(LIMITS[sender])
    for chunk in chunks:
        reader.feed(chunk)
        while (raw := reader.next()) is not None:
            yield tw.decode_message(sender, raw, schema)
    reader.finish()


def splits(data: bytes) -> Iterator[list[bytes]]:
    """The data whole, cut in two at every byte, and byte by byte."""
    yield [data]
    for cut in range(1, len(data)):
        yield [data[:cut], data[cut:]]
    yield [data[index : index + 1] for index in range(len(data))]


# One check for each kind of vector


def check_message(vector: dict[str, Any]) -> None:
    data, schema, sender = bytes.fromhex(vector["hex"]), schema_of(vector), vector["from"]
    _, layout = tw.find_layout(sender, vector["type"])
    expected = without_redundant(vector["fields"])
    for chunks in splits(data):
        messages = list(decode_all(sender, chunks, schema))
        if len(messages) != 1 or messages[0] is None:
            raise Failure(f"fed as {len(chunks)} chunks it gives {len(messages)} messages, not one that is known")
        expect(messages[0].name, vector["type"], "type")
        expect(fields_to_json(layout, messages[0].fields, schema), expected, "fields")
    encoded = tw.encode_message(sender, vector["type"], fields_from_json(layout, expected, schema), schema)
    expect(encoded.hex(), vector["hex"], "encoded again")


def decode_whole(sender: str, data: bytes, schema: tw.Schema | None) -> None:
    """Decodes everything there is to decode: the state in frames and the schema in Joined too."""
    state = tw.State(schema) if schema else None
    for message in decode_all(sender, [data], schema):
        if message is None:
            continue
        if message.name == "Frame" and state is not None:
            state.apply(message)
        if message.get("schema") is not None:
            tw.Schema.decode(message["schema"])


def check_malformed(vector: dict[str, Any]) -> None:
    try:
        decode_whole(vector["from"], bytes.fromhex(vector["hex"]), schema_of(vector))
    except tw.DecodeError as error:
        if error.code != vector["error"]:
            raise Failure(f"the vector says {vector['error']}, decoding says {error}") from error
    else:
        raise Failure(f"it decodes; the vector says {vector['error']}")


def field_to_json(field: tw.Field) -> dict[str, Any]:
    values = {"maxBytes": field.max_bytes}
    parameters = {name: values.get(name, getattr(field, name, None)) for name in PARAMETERS.get(field.type, ())}
    return {"name": field.name, "type": field.type.name.lower(), **parameters}


def kinds_to_json(schema: tw.Schema) -> list[dict[str, Any]]:
    return [
        {"name": kind.name, "capacity": kind.capacity, "fields": [field_to_json(field) for field in kind.fields]}
        for kind in schema.kinds
    ]


def field_from_json(field: dict[str, Any]) -> tw.Field:
    parameters = {"max_bytes" if name == "maxBytes" else name: value for name, value in field.items()}
    return tw.Field(**{**parameters, "type": tw.FieldType[field["type"].upper()]})


def kinds_from_json(kinds: list[dict[str, Any]]) -> tw.Schema:
    return tw.Schema(
        tuple(tw.Kind(kind["name"], kind["capacity"], tuple(map(field_from_json, kind["fields"]))) for kind in kinds)
    )


def check_schema(vector: dict[str, Any]) -> None:
    schema = tw.Schema.decode(bytes.fromhex(vector["hex"]))
    expect(kinds_to_json(schema), vector["kinds"], "kinds")
    expect(f"{schema.hash:016x}", vector["hash"], "hash")
    expect(kinds_from_json(vector["kinds"]).encode().hex(), vector["hex"], "encoded again")


def entity_to_json(state: tw.State, kind: int, identifier: int, entity: tw.Entity) -> dict[str, Any]:
    fields = state.schema.kinds[kind].fields
    values = [item_to_json(field, state.field_columns(kind, identifier, i)) for i, field in enumerate(fields)]
    return {
        "kind": kind,
        "id": identifier,
        "generation": entity.generation,
        "owner": entity.owner,
        "values": values,
    }


def events_to_json(frame: tw.Message) -> list[dict[str, Any]]:
    result, number = [], frame.get("firstReliable")
    for event in frame.get("events") or []:
        reliable = bool(event["flags"] & tw.EVENT_RELIABLE)
        result.append({
            "number": number if reliable else None,
            "sender": event.get("sender"),
            "notForSender": bool(event["flags"] & tw.EVENT_NOT_FOR_SENDER),
            "code": event["code"],
            "payloadHex": event["payload"].hex(),
        })
        number += reliable
    return result


def check_step(state: tw.State, step: dict[str, Any], where: str) -> None:
    for message in decode_all("server", [bytes.fromhex(step["hex"])], state.schema):
        if message is None or message.name != "Frame":
            raise Failure(f"{where} is not a Frame")
        state.apply(message)
        expect(events_to_json(message), step.get("events", []), f"{where} events")
    expect(state.tick, int(step["tick"]), f"{where} tick")
    expect([entity_to_json(state, *each) for each in state.entities()], step["entities"], f"{where} entities")
    expect(f"{state.hash:016x}", step["hash"], f"{where} hash")
    expect(state.recomputed_hash(), state.hash, f"{where} incremental hash")


def check_frames(vector: dict[str, Any]) -> None:
    if not vector["steps"]:
        raise Failure("it has no steps")
    state = tw.State(required_schema(vector))
    for index, step in enumerate(vector["steps"]):
        check_step(state, step, f"step {index}")


def close(actual: Any, expected: Any) -> bool:
    if isinstance(expected, list):
        return len(actual) == len(expected) and all(map(close, actual, expected))
    if isinstance(expected, str) or isinstance(actual, str):
        return actual == expected
    return abs(actual - expected) <= TOLERANCE


def check_value(vector: dict[str, Any]) -> None:
    schema, data = required_schema(vector), bytes.fromhex(vector["hex"])
    field = schema.kinds[0].fields[vector["field"]]
    reader = tw.Reader(data, 0, schema)
    columns = tw.read_value(reader, field, field.zero)
    reader.finish("the value")
    value = tw.to_units(field, columns)
    if field.type in tw.BLOBS:
        value = item_to_json(field, columns)
    else:
        expect(list(columns), vector["columns"], "columns")
    if not close(value, vector["value"]):
        raise Failure(f"value: decoded {value!r}, the vector says {vector['value']!r}")
    writer = tw.Writer(schema)
    tw.write_value(writer, field, columns, field.zero)
    expect(bytes(writer.data).hex(), vector["hex"], "encoded again")


CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "message": check_message,
    "malformed": check_malformed,
    "schema": check_schema,
    "frames": check_frames,
    "value": check_value,
}


# The report


def check(vector: dict[str, Any]) -> str | None:
    """What is wrong with a vector, or None."""
    if vector.get("kind") not in CHECKS:
        return f"unknown kind {vector.get('kind')!r}"
    try:
        CHECKS[vector["kind"]](vector)
    except (Failure, tw.DecodeError, tw.FrameGap) as error:
        return str(error)
    except (KeyError, TypeError, ValueError) as error:  # a vector that is not of its form
        return f"{type(error).__name__}: {error}"
    return None


def check_file(path: Path) -> tuple[Counter[str], list[str]]:
    """How many vectors of each kind there are, and the failures."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.get("protocol") != tw.PROTOCOL_VERSION:
        return Counter(), [f"{path.name}: protocol is {content.get('protocol')!r}, not {tw.PROTOCOL_VERSION}"]
    problems = [(vector.get("name"), check(vector)) for vector in content["vectors"]]
    kinds = Counter(str(vector.get("kind")) for vector in content["vectors"])
    return kinds, [f"{path.name}: {name}: {problem}" for name, problem in problems if problem]


def main(arguments: list[str]) -> int:
    paths = [Path(argument) for argument in arguments] or sorted(Path(__file__).parent.glob("*.json"))
    columns = [*CHECKS, "passed", "failed"]
    print(f"{'file':<28}" + "".join(f"{name:>10}" for name in columns))
    failures: list[str] = []
    total = 0
    for path in paths:
        kinds, problems = check_file(path)
        count = sum(kinds.values())
        numbers = [*(kinds[name] for name in CHECKS), max(0, count - len(problems)), len(problems)]
        print(f"{path.name:<28}" + "".join(f"{number:>10}" for number in numbers))
        failures += problems
        total += count
    for failure in failures:
        print(f"FAILED {failure}")
    if total == 0:
        print("no vectors found")
    print(f"{max(0, total - len(failures))} passed, {len(failures)} failed")
    return 1 if failures or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

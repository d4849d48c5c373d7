"""Tests of check_vectors.py: it passes good vectors and fails wrong ones. The bytes are worked out by hand from docs/protocol.md.

    python3 -m unittest discover -s Tests/Vectors
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import check_vectors
import tickwire as tw
from wire_test_case import SCHEMA, SCHEMA_HEX, hexed, whole


def vector_file(*vectors: dict[str, Any]) -> dict[str, Any]:
    return {"protocol": 1, "description": "", "vectors": list(vectors)}


class CheckVectorsTests(unittest.TestCase):
    VALUE = {
        "name": "v", "kind": "value", "schemaHex": hexed(SCHEMA_HEX).hex(),
        "field": 0, "hex": "05", "columns": [-3], "value": -1.5,
    }
    MESSAGE = {"name": "m", "kind": "message", "from": "client", "hex": "020605", "type": "Ping", "fields": {"token": 5}}
    MALFORMED = {"name": "b", "kind": "malformed", "from": "client", "hex": "00", "error": "invalidLength"}
    INPUT = {
        "name": "i", "kind": "message", "from": "client", "schemaHex": hexed(SCHEMA_HEX).hex(), "type": "Input",
        "hex": whole("03 07 01 00 00 11 03 02 68 69").hex(),
        "fields": {"sequence": 7, "count": 1, "entries": [{"kind": 0, "id": 0, "mask": 17, "values": [-2, "hi"]}]},
    }

    def run_on(self, *vectors: dict[str, Any]) -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "vectors.json"
            path.write_text(json.dumps(vector_file(*vectors)), encoding="utf-8")
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                code = check_vectors.main([str(path)])
            return code, output.getvalue()

    def schema_vector(self) -> dict[str, Any]:
        kinds = check_vectors.kinds_to_json(SCHEMA)
        return {"name": "s", "kind": "schema", "hex": hexed(SCHEMA_HEX).hex(), "hash": f"{SCHEMA.hash:016x}", "kinds": kinds}

    def frames_vector(self) -> dict[str, Any]:
        entity = {"kind": 0, "id": 2, "generation": 1, "owner": 4, "values": [0, [0, 0], 0, [0, 0, 0, 0], "", 0]}
        steps = [{
            "hex": whole("13 05 0a 00 01 02 01 02 01 05").hex(), "tick": 10, "events": [], "entities": [entity],
            "hash": f"{tw.mix(0x00_FF_0002_01000005):016x}",
        }, {
            "hex": whole("13 02 0b 01 03 02 03 04 10 01 aa 00 10 00").hex(), "tick": 11, "entities": [entity],
            "hash": f"{tw.mix(0x00_FF_0002_01000005):016x}",
            "events": [
                {"number": 3, "sender": 4, "notForSender": False, "code": 16, "payloadHex": "aa"},
                {"number": None, "sender": None, "notForSender": False, "code": 16, "payloadHex": ""},
            ],
        }]
        return {"name": "f", "kind": "frames", "schemaHex": hexed(SCHEMA_HEX).hex(), "steps": steps}

    def test_good_vectors_of_every_kind_pass(self) -> None:
        vectors = (self.VALUE, self.MESSAGE, self.MALFORMED, self.INPUT, self.schema_vector(), self.frames_vector())
        code, output = self.run_on(*vectors)
        self.assertEqual((code, output.splitlines()[-1]), (0, "6 passed, 0 failed"), output)

    def test_each_wrong_claim_fails(self) -> None:
        frames, schema = self.frames_vector(), self.schema_vector()
        wrong = [
            {**self.VALUE, "value": -1.4},
            {**self.VALUE, "columns": [3]},
            {**self.MESSAGE, "fields": {"token": 6}},
            {**self.MESSAGE, "fields": {}},
            {**self.MESSAGE, "fields": {"token": 5, "more": 1}},
            {**self.MESSAGE, "type": "Leave"},
            {**self.MESSAGE, "hex": "02060507"},
            {**self.MALFORMED, "error": "truncated"},
            {**self.MALFORMED, "hex": "020605"},
            {**schema, "hash": "0" * 16},
            {**schema, "kinds": schema["kinds"][:1]},
            {**frames, "steps": [{**frames["steps"][0], "tick": 9}]},
            {**frames, "steps": [{**frames["steps"][0], "hash": "0" * 16}]},
            {**frames, "steps": [{**frames["steps"][0], "entities": []}]},
            {**frames, "steps": [frames["steps"][0], {**frames["steps"][1], "events": []}]},
            {**frames, "steps": []},
            {"name": "?", "kind": "other"},
        ]
        for vector in wrong:
            with self.subTest(vector):
                code, output = self.run_on(vector)
                self.assertEqual((code, output.splitlines()[-1]), (1, "0 passed, 1 failed"))

    def test_no_vectors_is_a_failure(self) -> None:
        self.assertEqual(self.run_on()[0], 1)


if __name__ == "__main__":
    unittest.main()

"""Golden vectors and the SDK's small parts: `python3 -m unittest discover -s sdk/python/tests`."""
import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import rumi_sdk as rumi  # noqa: E402
from rumi_sdk import _generated as abi  # noqa: E402

with open(os.path.join(HERE, "../../../docs/formats/abi.v1.json"), encoding="utf-8") as source:
    VECTORS = json.load(source)

ELEMENTS = {"bids": abi.Level, "asks": abi.Level, "instruments": abi.Instrument}
HEX = ("trace_id", "run_id", "seed", "json", "state", "config", "text")


def build(kind, fields):
    def value(name, item):
        if name in ELEMENTS:
            return [build(ELEMENTS[name], element) for element in item]
        return bytes.fromhex(item) if name in HEX else item
    return kind(**{name: value(name, item) for name, item in fields.items()})


class Golden(unittest.TestCase):
    def test_vectors(self):
        for golden in VECTORS:
            with self.subTest(golden["name"]):
                name = golden["name"]
                frame = bytes.fromhex(golden["hex"])
                kind = getattr(abi, "".join(part.capitalize() for part in name.split("_")))
                value = build(kind, golden["fields"])
                heads = []
                if "header" in golden:
                    heads.append(build(abi.FrameHeader, golden["header"]))
                    self.assertEqual(abi.read_frame_header(frame)[2], heads[0])
                if "meta" in golden:
                    heads.append(build(abi.IntentMeta, golden["meta"]))
                    self.assertEqual(abi.read_intent_meta(frame), heads[0])
                self.assertEqual(getattr(abi, "write_" + name)(*heads, value).hex(), golden["hex"])
                self.assertEqual(getattr(abi, "read_" + name)(frame), value)
                for cut in range(len(frame)):
                    with self.assertRaises(abi.FrameError):
                        getattr(abi, "read_" + name)(frame[:cut])


class Parts(unittest.TestCase):
    def test_numbers_beyond_2_53_are_refused(self):
        for price in (2**53, -(2**53), 1.5, "1", True):
            with self.assertRaises(abi.FrameError):
                abi.write_trade_event(abi.FrameHeader(), abi.TradeEvent(price=price))

    def test_random_equals_the_rust_sdk(self):
        random = rumi.Random(bytes(range(16)))
        self.assertEqual([random.next_u32() for _ in range(4)], [124836505, 3156578125, 2270891520, 2401556266])

    def test_decimals_are_exact_or_refused(self):
        self.assertEqual(rumi.parse_decimal("-12.50", 2), -1250)
        for text in ("", ".", "1.", "1e3", "0.001", "9" * 20, 5, "--1", "\u0661"):
            if text == "1.":
                continue
            with self.assertRaises(rumi.Refusal):
                rumi.parse_decimal(text, 2)


if __name__ == "__main__":
    unittest.main()

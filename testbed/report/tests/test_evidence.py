# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/report/evidence.py: figures and their units, of what the guest left."""
import json
import tempfile
import unittest
from pathlib import Path

from testbed.report import evidence

COUNTS = {"hints": 1, "counts": [{"ph": 2, "st": 42, "st_width": 8, "writes": 5, "reads": 0, "write_bytes": 40, "read_bytes": 0}]}


class Samples(unittest.TestCase):
    @staticmethod
    def text(head, **results):
        return f"{head}\n{json.dumps(results)}\n{json.dumps(COUNTS)}\n"

    def test_units(self):
        rows = evidence.measured(self.text("bar bandwidth 1024 1 16", BW_average=128, MsgRate=7)
                                 + self.text("rxe bandwidth 512 2 20", BW_average=128, MsgRate=0.25)
                                 + self.text("bar-tph latency 8 3 200", t_typical=6.5))
        self.assertEqual([row["value"] for row in rows], [134.217728, 128, 6.5])
        self.assertEqual(rows[2], {"series": "bar-tph", "metric": "latency", "size": 8, "repeat": 3, "iterations": 200, "value": 6.5,
                                   "completer": [{"ph": 2, "st": 42, "st_width": 8, "writes": 5, "reads": 0}]})

    def test_cut_off(self):
        self.assertRaises(ValueError, evidence.measured, "bar bandwidth 8 1 16\n{}\n")
        self.assertRaises(KeyError, evidence.measured, self.text("bar latency 8 1 16", BW_average=1))

    def test_copies(self):
        rows = evidence.copied("2 bar 4096 10 20480\n")
        self.assertEqual([(row["series"], row["metric"], row["value"]) for row in rows],
                         [("memcpy-bar", "bandwidth", 2000), ("memcpy-bar", "latency", 2.048)])
        self.assertEqual((rows[0]["repeat"], rows[0]["iterations"], rows[0]["completer"]), (2, 10, []))


class Chain(unittest.TestCase):
    def test_files(self):
        with tempfile.TemporaryDirectory() as name:
            left = Path(name)
            for file, text in (("head", "8 hca1 st=42,ph=2 5 64\n"), ("ioctls", '{"ioctl": "A"}\n{"ioctl": "B"}\n'), ("events", "a: b\nc: d\n"),
                               ("config", "b315"), ("mkey", '{"st": 42}'), ("mr", "[1]"), ("counts", json.dumps(COUNTS))):
                (left / file).write_text(text)
            self.assertEqual(evidence.chain(left), {
                "width": 8, "hca": "hca1", "requested": "st=42,ph=2", "messages": 5, "size": 64, "ioctls": [{"ioctl": "A"}, {"ioctl": "B"}],
                "events": ["a: b", "c: d"], "config": "b315", "mkey": {"st": 42}, "mr": [1], "counts": COUNTS["counts"]})

    def test_window(self):
        self.assertEqual(evidence.window({"addr": 0xf4001000, "offset": 0x1000}), f"{0xf4000000},67108864")


if __name__ == "__main__":
    unittest.main()

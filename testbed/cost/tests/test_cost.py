# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/cost: medians, ratios of runs side by side whatever the machine did in between, and the tables."""
import json
import tempfile
import unittest
from pathlib import Path

from testbed.cost import report, table
from testbed.sandbox.spread import quantile, spread

BOOTS = ((1, "patched"), (2, "stock"), (3, "patched"), (4, "stock"))
SLOW = (2000, 100, 300)
# kind: (factor of a registration at each speed of the machine, of a deregistration). A tag in use costs another one each time, so that
# the ratio of the medians (3) is not the median of the ratios (1.5).
KINDS = {"host memory": ((3, 3, 3), 3), "BAR, no hint": ((2, 2, 2), 2), "BAR, tag in use": ((2, 3, 6), 2.2),
         "BAR, tag came back": ((4, 3, 3), 2.2), "BAR, new tag": ((8, 8, 8), 2.5), "BAR, new tag, require": ((10, 10, 10), 2.5)}
HEAD = {"kernel": "7.3.4", "qemu": "11.1.3", "runs": 3}


def pairs():
    """Three runs in each of four boots, with a slow one and a fast one."""
    return [{"boot": boot, "kernel": kernel, "kind": kind, "register": factors[i] * slow * (0.8 if kernel == "stock" else 1),
             "deregister": last * slow}
            for boot, kernel in BOOTS for i, slow in enumerate(SLOW) for kind, (factors, last) in KINDS.items()
            if kernel == "patched" or kind in ("host memory", "BAR, no hint")]


def perftest():
    return [{"hint": hint, "size": size, "MBps": rate / slow, "messages_per_s": 2 * rate / slow}
            for slow in (1, 10, 100) for size in (8, 65536) for hint, rate in (("none", 1), ("ST", 0.5))]


def many():
    return [{"device": device, "tags": tags, "count": count, "hinted": count, "fallback": 0, "register": 1000 * count + i, "deregister": 500}
            for device in ("mlx5_2", "mlx5_1") for count in (64, 4) for tags in ("none", "equal") for i in (3, 1, 2)]


class Spread(unittest.TestCase):
    def test_quantiles(self):
        self.assertEqual(spread([4, 1, 3, 2]), {"median": 2.5, "q1": 1.75, "q3": 3.25, "runs": 4})
        self.assertEqual(spread([7]), {"median": 7, "q1": 7, "q3": 7, "runs": 1})
        self.assertEqual(quantile([1.0, 3.0], 0.5), 2)
        self.assertEqual([repr(report.plain(value)) for value in (2.0, 2.5, 3)], ["2", "2.5", "3"])


class Report(unittest.TestCase):
    def test_ratios(self):
        found = report.report(pairs(), [], perftest(), HEAD)["ratios"]
        self.assertEqual({name: [one[key] for key in ("median", "q1", "q3", "runs")] for name, one in found.items()}, {
            "registration: tag in use / no hint": [1.5, 1.125, 2.625, 6], "registration: tag came back / no hint": [1.5, 1.5, 1.875, 6],
            "registration: tag came back / tag in use": [1, 0.625, 1.75, 6], "registration: new tag / no hint": [4, 4, 4, 6],
            "registration: new tag, require / no hint": [5, 5, 5, 6], "deregistration: tag in use / no hint": [1.1, 1.1, 1.1, 6],
            "deregistration: last of a tag / no hint": [1.25, 1.25, 1.25, 6],
            "registration of a BAR: patched / stock kernel": [1.25, 1.25, 1.25, 6],
            "registration of host memory: patched / stock kernel": [1.25, 1.25, 1.25, 6],
            "bandwidth, 65536 bytes: ST / no hint": [0.5, 0.5, 0.5, 3], "message rate, 8 bytes: ST / no hint": [0.5, 0.5, 0.5, 3]})

    def test_one_side(self):
        """What was not measured has no ratio, and a time of 0 is left out."""
        found = report.report([row for row in pairs() if row["kernel"] == "patched"], [], [], HEAD)["ratios"]
        self.assertEqual({name for name, one in found.items() if one is None}, {*report.BETWEEN, *report.TRAFFIC})
        self.assertEqual(report.ratio([1, 2, 3], [0, 4]), {"median": 0.5, "q1": 0.5, "q3": 0.5, "runs": 1})
        self.assertIsNone(report.ratio([1], [0]))
        self.assertEqual(report.ratio([1], [3])["median"], 0.333)

    def test_registration(self):
        rows = report.report(pairs(), [], [], HEAD)["registration"]
        self.assertEqual([(row["kernel"], row["kind"]) for row in rows], [("patched", kind) for kind in sorted(KINDS)]
                         + [("stock", "BAR, no hint"), ("stock", "host memory")])
        row = rows[-1]
        self.assertEqual([row[key] for key in ("boots", "boot_medians")], [2, [720, 720]])
        self.assertEqual((row["register"]["runs"], row["register"]["median"], row["deregister"]["median"]), (6, 720, 900))

    def test_many(self):
        rows = report.report([], many(), [], HEAD)["many"]
        self.assertEqual([(row["device"], row["count"], row["tags"]) for row in rows], [
            (device, count, tags) for device in ("mlx5_1", "mlx5_2") for count in (4, 64) for tags in ("equal", "none")])
        self.assertEqual(rows[0]["register"], {"median": 4002, "q1": 4001.5, "q3": 4002.5, "runs": 3})

    def test_traffic(self):
        rows = report.report([], [], perftest(), HEAD)["traffic"]
        self.assertEqual([(row["size"], row["hint"], row["MBps"]["median"], row["messages_per_s"]["median"]) for row in rows],
                         [(8, "ST", 0.05, 0.1), (8, "none", 0.1, 0.2), (65536, "ST", 0.05, 0.1), (65536, "none", 0.1, 0.2)])

    def test_boots(self):
        with tempfile.TemporaryDirectory() as name:
            for boot, kernel in ((2, "stock"), (1, "patched")):
                (Path(name) / f"boot-{boot}-{kernel}").write_text(json.dumps({"kind": "x", "register": boot, "deregister": 0}) + "\n")
            self.assertEqual([(row["boot"], row["kernel"], row["register"]) for row in report.registrations(Path(name))],
                             [(1, "patched", 1), (2, "stock", 2)])


class Files(unittest.TestCase):
    def test_side_by_side(self):
        with tempfile.TemporaryDirectory() as name:
            self.assertEqual(report.side_by_side(Path(name)), [])
            (Path(name) / "many").mkdir()
            for device in ("mlx5_2", "mlx5_1"):
                (Path(name) / "many" / device).write_text('{"count": 1}\n{"count": 4}\n')
            self.assertEqual([(row["device"], row["count"]) for row in report.side_by_side(Path(name))],
                             [("mlx5_1", 1), ("mlx5_1", 4), ("mlx5_2", 1), ("mlx5_2", 4)])

    def test_traffic(self):
        """Runs are in the order of their numbers, so that those of one run are compared."""
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "perftest").mkdir()
            for run in (10, 9):
                for hint, rate in (("none", 1.0), ("ST", 2.0)):
                    (Path(name) / "perftest" / f"{run}-{hint}-8.json").write_text(
                        json.dumps({"results": {"BW_average": rate * run, "MsgRate": rate * run}}))
            rows = report.traffic(Path(name))
            self.assertEqual([(row["hint"], row["size"], row["messages_per_s"]) for row in rows],
                             [("ST", 8, 18e6), ("none", 8, 9e6), ("ST", 8, 20e6), ("none", 8, 10e6)])
            self.assertEqual(rows[1]["MBps"], 9 * 1.048576)
            (Path(name) / "perftest/9-ST-8.json").write_text("{}")
            self.assertRaises(KeyError, report.traffic, Path(name))


class Table(unittest.TestCase):
    def test_lines(self):
        said = table.lines(report.report(pairs(), many(), perftest(), HEAD))
        self.assertEqual(said[:4], [
            "Linux 7.3.4, 3 runs: medians, and quartiles. The times are an emulation's: compare within a table.", "",
            "registration, us        kernel    register  quartiles           deregister  quartiles",
            "  BAR, new tag          patched        2.4  1.2..12.6                 0.75  0.38..3.94"])
        self.assertIn("  mlx5_1       4, tags: equal              4  4..4                        0.5       4         0", said)
        self.assertIn("       8 bytes, ST, PH 2               0.1  0..0.3                        0  0..1", said)
        self.assertIn("  registration: tag in use / no hint                            1.5  1.125..2.625", said)

    def test_missing(self):
        said = table.lines(report.report([], [], [], HEAD))
        self.assertIn("  bandwidth, 65536 bytes: ST / no hint                            -", said)


if __name__ == "__main__":
    unittest.main()

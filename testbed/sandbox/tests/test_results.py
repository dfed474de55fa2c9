# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/sandbox: what is listed and compared of documents."""
import copy
import json
import os
import tempfile
import unittest
from pathlib import Path

from testbed.sandbox import compare, documents, runs, show
from testbed.sandbox.table import figure, nearest, table

ROW = {"target": "gpu", "st_mode": "table", "width": 8, "requested": {"st": 42, "st_ext": None, "ph": 2}, "result": "ok",
       "errno": None, "as_expected": True, "perftest": {"bw_avg_MBps": 200.0}}
PLAIN = {**ROW, "requested": {"st": None, "st_ext": None, "ph": None}, "perftest": {"bw_avg_MBps": 100.0}}
RUN = {"document": "run", "schema": 1, "tph": "0.2", "commit": "1" * 40, "date": "2026-01-01T00:00:00Z", "kernel": "7.3.4",
       "qemu": "11.1.3", "iommu": "pt", "runs": [ROW, PLAIN], "host_memory": [{"device": "mlx5", "bw_avg_MBps": 50.0}]}
CONFORMANCE = {"document": "conformance", "schema": 1, "suites": [
    {"name": "ucx", "device": "mlx5_0", "passed": 2, "failed": 1, "passes": ["a", "b"], "failures": [{"case": "c", "cause": "x"}]}]}
SPREAD = {"median": 2000.0}
COST = {"document": "cost", "schema": 1, "runs": 3, "registration": [
    {"kind": "host memory", "kernel": "stock", "register": SPREAD, "deregister": {"median": 500.0}}],
    "many": [{"device": "hca1", "count": 4, "tags": "one", "register": SPREAD, "hinted": 3, "fallback": 1}],
    "traffic": [{"size": 8, "hint": "ST", "MBps": {"median": 5.0}, "messages_per_s": {"median": 7}}],
    "ratios": {"x / y": {"median": 1.5}, "u / v": None}}
BENCH = {"document": "bench", "schema": 1, "rounds": 2, "wrong": ["w"], "measures": [
    {"name": "latency", "unit": "us", "size": 8, "qps": 1, "systems": {"this": {"median": 5.0}, "rxe": {"median": 50.0}},
     "ratios": {"rxe": {"median": 0.1}}}]}


class Table(unittest.TestCase):
    def test_columns(self):
        self.assertEqual(table([["a", "n"], ["long", 5], [None, 123]], right=(1,)), ["a       n", "long    5", "-     123"])
        self.assertEqual(table([]), [])

    def test_least(self):
        # A column that needs more than its least width moves those behind it in all lines.
        self.assertEqual(table([["a", "n"], ["long", 5.0]], right=(1,), least=(3, 3), gap=" "), ["a      n", "long   5"])
        self.assertEqual(table([["a", "n"]], least=(2, 1, 9), gap=""), ["a n"])

    def test_figures(self):
        self.assertEqual([figure(value) for value in (None, 3, 123456.7, 12.34, 0.123, -5.5)],
                         ["-", "3", "123457", "12.3", "0.12", "-5.50"])

    def test_nearest(self):
        self.assertEqual([nearest(value) for value in (0, 0.4, 0.5, 1.5, 2.5, -0.5, -1.4, 7)], [0, 0, 1, 2, 3, -1, -1, 7])


class Documents(unittest.TestCase):
    def test_unknown(self):
        for document in ({}, [], 5, {"document": "exec", "schema": 1}, {"document": "run", "schema": 2}, {"document": "run"}):
            with self.assertRaises(documents.Error):
                documents.kind(document)

    def test_kinds(self):
        """Each kind says what is in it, and can be shown."""
        for name in documents.KINDS:
            module = documents.kind({"document": name, "schema": 1})
            for function in ("headline", "figures", "states"):
                self.assertTrue(callable(getattr(module, function)), (name, function))
            self.assertTrue((Path(module.__file__).with_name("table.py")).exists(), name)

    def test_headlines(self):
        self.assertEqual(documents.kind(RUN).headline(RUN), "2 as expected")
        bad = copy.deepcopy(RUN)
        bad["runs"][0]["as_expected"] = False
        self.assertEqual(documents.kind(bad).headline(bad), "1 as expected, 1 NOT")
        self.assertEqual(documents.kind(CONFORMANCE).headline(CONFORMANCE), "2 passed, 1 failed")
        self.assertEqual(documents.kind(BENCH).headline(BENCH), "medians of 2 rounds, 1 figures MISSING")
        self.assertEqual(documents.kind(BENCH).headline({**BENCH, "wrong": [], "requests": {"wrong": ["d", "e"]}}),
                         "medians of 2 rounds, 2 counts DIFFER from the trace")

    def test_figures(self):
        self.assertEqual(documents.kind(RUN).figures(RUN), {
            "gpu table/8, ST 42 ph 2": (200.0, "MB/s"), "gpu table/8, no hint": (100.0, "MB/s"), "host memory, mlx5": (50.0, "MB/s")})
        self.assertEqual(documents.kind(COST).figures(COST), {
            "register, host memory, stock kernel": (2.0, "us"), "deregister, host memory, stock kernel": (0.5, "us"),
            "register, 4 regions on hca1, tags: one": (2.0, "us"), "8 bytes, ST": (5.0, "MB/s"), "8 bytes, ST, rate": (7, "messages/s"),
            "x / y": (1.5, "ratio")})
        self.assertEqual(documents.kind(BENCH).figures(BENCH), {
            "latency, 8 bytes, 1 QPs: this": (5.0, "us"), "latency, 8 bytes, 1 QPs: rxe": (50.0, "us"),
            "latency, 8 bytes, 1 QPs: ratio to rxe": (0.1, "ratio")})

    def test_states(self):
        self.assertEqual(documents.kind(CONFORMANCE).states(CONFORMANCE), {
            "ucx on mlx5_0: a": "pass", "ucx on mlx5_0: b": "pass", "ucx on mlx5_0: c": "fail: x"})


class Show(unittest.TestCase):
    def test_lines(self):
        said = show.lines("conformance-1", {**CONFORMANCE, "kernel": "7.3.4", "date": "now", "tph": "0.2", "commit": None, "suites": [
            {**CONFORMANCE["suites"][0], "skipped": []}]})
        self.assertEqual(said[:2], ["conformance-1: now, tph 0.2, commit unknown", "Linux 7.3.4"])

    def test_files(self):
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "x.json"
            for text, said in (("{", "x: is no JSON: "), ("[]", "x: it is no document of bench, "), ('{"document": "exec", "schema": 1}', "x: it is no"),
                               ('{"document": "run", "schema": 99}', "x: it has schema 99, and not 1")):
                path.write_text(text)
                with self.assertRaisesRegex(documents.Error, f"^{said}"):
                    documents.read("x", path)
            path.write_text(json.dumps(RUN))
            self.assertEqual(documents.read("x", path), RUN)


class Compare(unittest.TestCase):
    def test_same(self):
        result = compare.compare(RUN, RUN)
        self.assertEqual([result[key] for key in ("circumstances", "changed", "only_a", "only_b")], [[]] * 4)
        self.assertEqual({one["ratio"] for one in result["figures"]}, {1.0})

    def test_topology(self):
        # A document of an earlier version does not name it.
        self.assertEqual(compare.compare(RUN, {**RUN, "topology": "ib"})["circumstances"], [])
        self.assertEqual(compare.compare(RUN, {**RUN, "topology": "roce"})["circumstances"], [{"what": "topology", "a": "ib", "b": "roce"}])

    def test_differences(self):
        other = copy.deepcopy(RUN)
        other["kernel"] = "7.2.9"
        other["runs"][0].update(result="refused", errno="EOPNOTSUPP", as_expected=False, perftest={"bw_avg_MBps": None})
        other["runs"][1]["perftest"]["bw_avg_MBps"] = 150.0
        other["host_memory"] = []
        result = compare.compare(RUN, other)
        self.assertEqual(result["circumstances"], [{"what": "kernel", "a": "7.3.4", "b": "7.2.9"}])
        self.assertEqual(result["figures"], [{"name": "gpu table/8, no hint", "unit": "MB/s", "a": 100.0, "b": 150.0, "ratio": 1.5}])
        self.assertEqual(result["changed"], [
            {"name": "gpu table/8, ST 42 ph 2", "a": "ok", "b": "refused EOPNOTSUPP NOT AS EXPECTED"}])
        self.assertEqual((result["only_a"], result["only_b"]), (["gpu table/8, ST 42 ph 2", "host memory, mlx5"], []))
        said = compare.lines(result, "run-1", "run-2")
        self.assertIn("gpu table/8, no hint  MB/s  100  150   1.50", said)
        self.assertIn("  gpu table/8, ST 42 ph 2: ok -> refused EOPNOTSUPP NOT AS EXPECTED", said)

    def test_zero(self):
        none = copy.deepcopy(RUN)
        none["runs"][1]["perftest"]["bw_avg_MBps"] = 0
        self.assertIsNone(compare.compare(none, RUN)["figures"][1]["ratio"])

    def test_kinds(self):
        with self.assertRaises(documents.Error):
            compare.compare(RUN, COST)


class Runs(unittest.TestCase):
    def test_rows(self):
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            for number, text in enumerate((json.dumps(RUN), "{", json.dumps({**RUN, "runs": None}), json.dumps(COST))):
                path = directory / f"run-{number}.json"
                path.write_text(text)
                os.utime(path, (100 - number, 100 - number))
            (directory / "run-0.trace").write_text("x")
            found = runs.rows(directory)
            self.assertEqual([one["run"] for one in found], ["run-3", "run-2", "run-1", "run-0"])
            self.assertEqual([one["trace"] for one in found], [False, False, False, True])
            self.assertEqual(found[3]["result"], "2 as expected")
            for one in found[1:3]:
                self.assertTrue(one["result"].startswith("unreadable: "), one["result"])
            self.assertEqual(len(runs.lines(found)), 5)


if __name__ == "__main__":
    unittest.main()

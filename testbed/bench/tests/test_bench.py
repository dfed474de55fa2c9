# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/bench: what is planned, what is missing, medians and ratios, the table."""
import copy
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from testbed.bench import copies, plan, profiling, report, samples as left, table


def samples(*rows):
    keys = ("round", "system", "measure", "size", "qps", "value")
    return [dict(zip(keys, row)) for row in rows]


class Plan(unittest.TestCase):
    ROWS = (("latency", 8, 1, 1000, ("this", "other", "rxe")), ("bar", 64, 1, 7, ("this", "other")))

    def test_turns(self):
        self.assertEqual(plan.plan(self.ROWS, 2, True), [
            (1, "other", "latency", 8, 1, 1000), (1, "rxe", "latency", 8, 1, 1000), (1, "this", "latency", 8, 1, 1000),
            (1, "other", "bar", 64, 1, 7), (1, "this", "bar", 64, 1, 7),
            (2, "rxe", "latency", 8, 1, 1000), (2, "this", "latency", 8, 1, 1000), (2, "other", "latency", 8, 1, 1000),
            (2, "this", "bar", 64, 1, 7), (2, "other", "bar", 64, 1, 7)])

    def test_messages(self):
        self.assertEqual([plan.messages_of(one, 65536, 16000) for one in ("this", "other", "rxe", "memcpy")], [16000, 1152, 512, 16000])
        self.assertEqual([plan.messages_of(one, 8, 400) for one in ("this", "other", "rxe")], [400] * 3)

    def test_alone(self):
        self.assertEqual({one[1] for one in plan.plan(self.ROWS, 3, False)}, {"this", "rxe"})

    def test_only(self):
        self.assertEqual(plan.wanted(self.ROWS, []), list(self.ROWS))
        self.assertEqual(plan.wanted(self.ROWS, ["vs"]), list(self.ROWS))
        self.assertEqual(plan.wanted(self.ROWS, ["vs", "only=bar"]), [self.ROWS[1]])
        self.assertEqual(plan.wanted(self.ROWS, ["only=bar", "only=latency"]), list(self.ROWS))
        self.assertEqual(plan.wanted(self.ROWS, ["only=rate"]), [])

    def test_only_names(self):
        """What the option takes is what both plans have."""
        options = (Path(__file__).parents[2] / "commands" / "bench.options").read_text()
        names = set(next(line for line in options.splitlines() if line.startswith("kind one latency")).split()[2:])
        for rows in (plan.FULL, plan.QUICK):
            self.assertEqual({row[0] for row in rows}, names)

    def test_names(self):
        for row in plan.FULL + plan.QUICK:
            self.assertIn(row[0], plan.MEASURES)
            self.assertLessEqual(set(row[4]), set(plan.SYSTEMS))

    def test_room_in_a_trace(self):
        """Ten rounds of an emulator that records each TLP: 256 bytes in a write, 512 in a read, some sixteen beside them."""
        records = sum(messages * (size // 256 + size // 512 + 16)
                      for _, system, _, size, _, messages in plan.plan(plan.FULL, 10, True) if system == "other")
        self.assertLess(records, (1 << 32) // 48)


class Left(unittest.TestCase):
    def test_units(self):
        rows = left.samples(["1 this latency 8 1 6.5", "1 rxe latency-p99 8 1 9", "2 this rate 8 16 0.25", "2 this bar-tph 64 1 128",
                             "3 memcpy bandwidth 4096 1 123.5", "3 this register 64 0 3000,1000,2000", "3 rxe register-host 64 0 500"])
        self.assertEqual([row["value"] for row in rows], [6.5, 9, 250000, 134.217728, 123.5, 2, 0.5])
        self.assertEqual(rows[2], {"round": 2, "system": "this", "measure": "rate", "size": 8, "qps": 16, "value": 250000})

    def test_no_figure(self):
        for line in ("1 this rate 8 1", "1 this rate 8 1 null", "1 this rate 8 1 1,2", "1 this register 8 0 ,"):
            self.assertRaises(ValueError, left.samples, [line])

    def test_counted(self):
        self.assertEqual(left.counted(["run-1 3 bar 64 1", '{"hints":1,"counts":[{"writes":2}]}']), [
            {"mark": "run-1", "round": 3, "measure": "bar", "size": 64, "qps": 1, "counts": [{"writes": 2}]}])
        self.assertRaises(ValueError, left.counted, ["run-1 3 bar 64 1"])


class Report(unittest.TestCase):
    def test_spread(self):
        self.assertEqual(report.spread([4, 1, 2, 3]), {"median": 2.5, "q1": 1.75, "q3": 3.25, "runs": 4})
        self.assertEqual(report.spread([7]), {"median": 7, "q1": 7, "q3": 7, "runs": 1})

    def test_expected(self):
        self.assertEqual(report.expected(["1 this latency 8 1 500", "2 rxe rate 8 1 9"]), {
            (1, "this", "latency", 8, 1), (1, "this", "latency-p99", 8, 1), (2, "rxe", "rate", 8, 1)})

    def test_missing(self):
        wanted = {(1, "this", "rate", 8, 1), (1, "rxe", "rate", 8, 1)}
        self.assertEqual(report.missing(wanted, []), (["round 1: this, rate, 8 bytes, 1 QPs: no figure"],
                                                      ["round 1: rxe, rate, 8 bytes, 1 QPs: no figure"]))
        both = samples((1, "this", "rate", 8, 1, 5.0), (1, "rxe", "rate", 8, 1, 5.0))
        self.assertEqual(report.missing(wanted, both), ([], []))
        self.assertEqual(report.missing(wanted, both + both[:1])[0], ["figures of one measurement twice"])
        self.assertEqual(report.missing(wanted, both + samples((2, "this", "rate", 8, 1, 5.0)))[0],
                         ["round 2: this, rate, 8 bytes, 1 QPs: not in the plan"])

    def test_ratios_are_of_one_round(self):
        # The machine is slow in one round, so that the ratio of the medians would be another one.
        found = report.measures(samples(
            (1, "this", "bar", 64, 1, 10), (1, "other", "bar", 64, 1, 5), (2, "this", "bar", 64, 1, 200), (2, "other", "bar", 64, 1, 50),
            (3, "this", "bar", 64, 1, 30), (1, "this", "bar-tph", 64, 1, 20), (2, "this", "bar-tph", 64, 1, 100)))
        self.assertEqual([row["measure"] for row in found], ["bar", "bar-tph"])
        self.assertEqual(found[0]["systems"]["this"], {"median": 30, "q1": 20, "q3": 115, "runs": 3})
        self.assertEqual(found[0]["ratios"], {"other": {"median": 3, "q1": 2.5, "q3": 3.5, "runs": 2}})
        self.assertEqual(found[1]["ratios"], {"bar": {"median": 1.25, "q1": 0.875, "q3": 1.625, "runs": 2}})

    def test_ratios_to_other_measures(self):
        found = report.measures(samples(
            (1, "this", "latency", 8, 1, 10), (1, "this", "latency-idle", 8, 1024, 12), (1, "this", "register", 64, 0, 300),
            (1, "this", "register-tph", 64, 0, 600), (1, "this", "register-host", 64, 0, 50), (1, "rxe", "register-host", 64, 0, 100)))
        self.assertEqual({row["measure"]: {key: one["median"] for key, one in row["ratios"].items()} for row in found}, {
            "latency": {}, "latency-idle": {"latency": 1.2}, "register": {"rxe-host": 3}, "register-tph": {"register": 2, "rxe-host": 6},
            "register-host": {"rxe": 0.5}})

    # What the completer counted, and the trace of the same: 2 writes with a hint, 1 without, 1 read.
    HINT = {"ph": 2, "st": 42, "st_width": 8}
    COUNTED = {"mark": "run-1", "round": 3, "measure": "bar", "size": 64, "qps": 1, "counts": [
        {**HINT, "writes": 2, "reads": 0, "write_bytes": 128, "read_bytes": 0},
        {"ph": None, "st": None, "st_width": None, "writes": 1, "reads": 1, "write_bytes": 4, "read_bytes": 64}]}
    FLOWS = {"mark": "run-1", "flows": [
        {"source": "hca0", "target": "gpu0", "type": "write", "hint": HINT, "tlps": 1, "bytes": 64},
        {"source": "hca1", "target": "gpu0", "type": "write", "hint": HINT, "tlps": 1, "bytes": 64},
        {"source": "hca0", "target": "gpu0", "type": "write", "hint": None, "tlps": 1, "bytes": 4},
        {"source": "hca0", "target": "gpu0", "type": "read", "hint": None, "tlps": 1, "bytes": 64},
        {"source": "gpu0", "target": "hca0", "type": "completion", "hint": None, "tlps": 1, "bytes": 0},
        {"source": "hca0", "target": None, "type": "write", "hint": None, "tlps": 9, "bytes": 90}]}

    def test_requests(self):
        self.assertEqual(report.requests([self.COUNTED], [{"mark": None, "flows": []}, self.FLOWS]),
                         {"runs": 1, "writes": 3, "reads": 1, "wrong": []})

    def wrong_with(self, change):
        flows = copy.deepcopy(self.FLOWS)
        change(flows["flows"])
        return report.requests([self.COUNTED], [flows])["wrong"]

    def test_other_requests(self):
        where = "round 3: bar, 64 bytes, 1 QPs: "
        self.assertEqual(self.wrong_with(lambda flows: flows.pop(0)), [
            where + "write, hint ST 42 of 8 bits, PH 2: 2 requests of 128 bytes counted, 1 of 64 in the trace"])
        self.assertEqual(self.wrong_with(lambda flows: flows[3].update(bytes=60)), [
            where + "read, hint none: 1 requests of 64 bytes counted, 1 of 60 in the trace"])
        self.assertEqual(self.wrong_with(lambda flows: flows[2].update(hint=self.HINT)), [
            where + "write, hint ST 42 of 8 bits, PH 2: 2 requests of 128 bytes counted, 3 of 132 in the trace",
            where + "write, hint none: 1 requests of 4 bytes counted, 0 of 0 in the trace"])
        gone = [where + "the trace does not have all of it"]
        self.assertEqual(report.requests([self.COUNTED], [])["wrong"], gone)
        self.assertEqual(report.requests([self.COUNTED], [{**self.FLOWS, "others": 1}])["wrong"], gone)


class Table(unittest.TestCase):
    def test_lines(self):
        document = {"kernel": "7.3.4", "qemu": "11.1.3", "rounds": 2, "vs": "c0ffee", "load": [0.5, 2.25], "processors": 2, "profile": None, "gaps": ["g"], "wrong": ["w"],
                    "requests": {"runs": 2, "writes": 12, "reads": 3, "wrong": ["d"]},
                    "measures": report.measures(samples((1, "this", "rate", 8, 16, 1000.0), (1, "other", "rate", 8, 16, 250.0)))}
        self.assertEqual(table.lines(document)[1:], [
            "Load of the machine, which has 2 processors: 0.5 before, 2.25 after, with the run's own.",
            "other: the emulator of c0ffee", "",
            "                                           this  quartiles   other  quartiles",
            "message rate, 8 bytes, 16 QPs  messages/s  1000  1000..1000    250  250..250", "",
            "ratios, round by round                             median  quartiles",
            "message rate, 8 bytes, 16 QPs  / the other commit    4.00  4.00..4.00", "",
            "Into the BAR: 12 write requests and 3 read requests in 2 runs, counted by the endpoint.",
            "no figure: g", "WRONG: w", "WRONG: d"])
        document["requests"]["wrong"] = []
        self.assertIn("Into the BAR: 12 write requests and 3 read requests in 2 runs, counted by the endpoint, and each in the trace with its hint.",
                      table.lines(document))


class Profile(unittest.TestCase):
    @staticmethod
    def line(number, name, user, system):
        return f"this {number} ({name}) S 1 2 3 0 -1 4194560 375 0 0 0 {user} {system} 0 0 20 0"

    def test_threads(self):
        begin = [self.line(7, "a (b) c", 100, 10)]
        end = [self.line(7, "a (b) c", 150, 30), self.line(8, "new", 200, 0)]
        self.assertEqual(profiling.threads(begin, end, 100), [
            {"program": "this", "thread": "new", "user_s": 2.0, "system_s": 0.0},
            {"program": "this", "thread": "a (b) c", "user_s": 0.5, "system_s": 0.2}])

    def test_functions(self):
        self.assertEqual(profiling.functions([
            " 0.21%  |CPU 0/TCG      |[JIT] tid 13273        |[.] 0x00007f321da804bd",
            " 0.30%  |CPU 0/TCG      |[JIT] tid 13273        |[.] 0x00007f321da804be",
            " 0.40%  |tph-emulator   |tph-emulator           |[.] hca_poll", "a line that is none"]), [
                {"thread": "CPU 0/TCG", "object": "JIT", "function": None, "percent": 0.51},
                {"thread": "tph-emulator", "object": "tph-emulator", "function": "hca_poll", "percent": 0.4}])

    def test_none(self):
        with tempfile.TemporaryDirectory() as name:
            self.assertIsNone(profiling.profile(Path(name), 100))
            for file in ("threads-begin", "threads-end"):
                (Path(name) / file).write_text(self.line(7, "a", 1, 1) + "\n")
            (Path(name) / "functions-missing").write_text("no perf\n")
            self.assertEqual(profiling.profile(Path(name), 100)["no_functions"], "no perf")


class Copies(unittest.TestCase):
    def test_answer(self):
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            (directory / "ask-3").write_text("memcpy-pages 4096\n")
            self.assertEqual(copies.answer(directory, "echo"), 1)
            self.assertEqual([path.name for path in directory.iterdir()], ["said-3"])
            self.assertEqual((directory / "said-3").read_text(), "memcpy-pages 4096\n")
            self.assertEqual(copies.answer(directory, "echo"), 0)

    def test_no_answer(self):
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            (directory / "ask-1").write_text("memcpy 1\n")
            self.assertRaises(subprocess.CalledProcessError, copies.answer, directory, "false")
            with mock.patch("sys.argv", ["copies", name, "false"]), self.assertRaisesRegex(SystemExit, "^tph bench: false memcpy 1 ended with status 1$"):
                copies.main()
            self.assertEqual([path.name for path in directory.iterdir()], ["ask-1"])


if __name__ == "__main__":
    unittest.main()

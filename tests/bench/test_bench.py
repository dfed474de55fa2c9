# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/bench: what is planned, what is missing, medians and ratios, the table."""
import sys
import tempfile
import unittest
from pathlib import Path

BENCH = Path(__file__).parents[2] / "testbed/bench"
sys.path.insert(0, str(BENCH))
import copies
import plan
import profiling
import report


def samples(*rows):
    keys = ("round", "system", "measure", "size", "qps", "value")
    return [dict(zip(keys, row)) for row in rows]


class Plan(unittest.TestCase):
    ROWS = (("latency", 8, 1, 1000, ("this", "other", "rxe")), ("bar", 64, 1, 7, ("this", "other")))

    def test_turns(self):
        self.assertEqual(plan.plan(self.ROWS, 2, True), [
            (1, "other", "latency", 8, 1, 1000), (1, "rxe", "latency", 8, 1, 500), (1, "this", "latency", 8, 1, 1000),
            (1, "other", "bar", 64, 1, 7), (1, "this", "bar", 64, 1, 7),
            (2, "rxe", "latency", 8, 1, 500), (2, "this", "latency", 8, 1, 1000), (2, "other", "latency", 8, 1, 1000),
            (2, "this", "bar", 64, 1, 7), (2, "other", "bar", 64, 1, 7)])

    def test_alone(self):
        self.assertEqual({one[1] for one in plan.plan(self.ROWS, 3, False)}, {"this", "rxe"})

    def test_names(self):
        for row in plan.FULL + plan.QUICK:
            self.assertIn(row[0], plan.MEASURES)
            self.assertLessEqual(set(row[4]), set(plan.SYSTEMS))


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


class Table(unittest.TestCase):
    def test_lines(self):
        # The module is called as that of testbed/sandbox, which it imports.
        import importlib.util
        spec = importlib.util.spec_from_file_location("bench_table", BENCH / "table.py")
        module = importlib.util.module_from_spec(spec)
        sys.path.insert(0, str(BENCH.parent / "sandbox"))
        spec.loader.exec_module(module)
        document = {"kernel": "7.3.4", "qemu": "11.1.3", "rounds": 2, "vs": "c0ffee", "load": [0.5, 2.25], "processors": 2, "profile": None, "gaps": ["g"], "wrong": ["w"],
                    "measures": report.measures(samples((1, "this", "rate", 8, 16, 1000.0), (1, "other", "rate", 8, 16, 250.0)))}
        self.assertEqual(module.lines(document)[1:], [
            "Load of the machine, which has 2 processors: 0.5 before, 2.25 after, with the run's own.",
            "other: the emulator of c0ffee", "",
            "                                           this  quartiles   other  quartiles",
            "message rate, 8 bytes, 16 QPs  messages/s  1000  1000..1000    250  250..250", "",
            "ratios, round by round                             median  quartiles",
            "message rate, 8 bytes, 16 QPs  / the other commit    4.00  4.00..4.00",
            "no figure: g", "WRONG: w"])


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
            (directory / "ask-3").write_text("4096\n")
            self.assertEqual(copies.answer(directory), 1)
            self.assertEqual([path.name for path in directory.iterdir()], ["said-3"])
            self.assertGreater(float((directory / "said-3").read_text()), 0)
            self.assertEqual(copies.answer(directory), 0)


if __name__ == "__main__":
    unittest.main()

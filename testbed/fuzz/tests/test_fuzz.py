# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/fuzz: what a log of libFuzzer says, and the table."""
import unittest

from testbed.fuzz import coverage, report, table

DOCUMENT = {"seed": 1, "targets": [
    {"target": "tlp", "seed": 1, "seconds": 10, "executions": 4165, "finding": None},
    {"target": "transport", "seed": 1, "seconds": 0, "executions": 12345678, "finding": {"input": "fuzz/transport/crash-1", "why": "oracle: x"}}]}


WELL = "INFO: Seed: 5\n#2\tINITED cov: 3\n#4096\tpulse\n#4165\tDONE\nstat::number_of_executed_units: 4165\nstat::new_units_added: 7\n"
FOUND = "#2\tINITED cov: 3\n#77\tNEW\ncaller: oracle: no\noracle: a write without right\n==5==ERROR: libFuzzer: deadly signal\n" \
    "artifact_prefix='x'; Test unit written to /cache/fuzz/tlp/crash-1\n"


class Result(unittest.TestCase):
    def test_without_a_finding(self):
        self.assertEqual(report.target("tlp", 5, 30, 0, "", WELL),
                         {"target": "tlp", "seed": 5, "seconds": 30, "executions": 4165, "finding": None})

    def test_finding(self):
        result = report.target("tlp", 5, 30, 77, "fuzz/tlp/crash-1", FOUND)
        self.assertEqual((result["executions"], result["finding"]), (77, {"input": "fuzz/tlp/crash-1", "why": "oracle: a write without right"}))
        self.assertEqual(report.say(result), "tlp: 77 executions in 30 s, FINDING: oracle: a write without right")
        self.assertEqual(report.say({**result, "finding": None}), "tlp: 77 executions in 30 s")
        for line in ("x.c:5:3: runtime error: shift", "==7==ERROR: AddressSanitizer: heap", "finding: x", "fuzz: y"):
            self.assertEqual(report.target("tlp", 5, 30, 1, "", f"# a\n{line}\nERROR: b\n")["finding"]["why"], line)
        self.assertEqual(report.target("tlp", 5, 30, 1, "", "ERROR: " + 300 * "x")["finding"]["why"], "ERROR: " + 193 * "x")

    def test_it_ended_without_a_word(self):
        """A status that is not 0 is a finding, whatever was said."""
        self.assertEqual(report.target("tlp", 5, 0, 1, "", "")["finding"], {"input": "", "why": ""})
        self.assertEqual(report.target("tlp", 5, 0, 1, "", "")["executions"], 0)


class Table(unittest.TestCase):
    def test_lines(self):
        self.assertEqual(table.lines(DOCUMENT), [
            "target      executions   seconds  per second  finding", "tlp               4165        10         416  -",
            "transport     12345678         0           0  oracle: x", "transport: input fuzz/transport/crash-1"])

    def test_nothing(self):
        self.assertEqual(len(table.lines({"targets": []})), 1)


LCOV = ["SF:/tmp/x/src/hca/cmd.c", "FN:3,f", "DA:3,5", "DA:4,0", "DA:5,1,abc", "end_of_record", "SF:/tmp/x/src/hca/cmd.h", "DA:1,0",
        "SF:/tmp/x/src/hca/tests/test_cmd.c", "DA:1,0", "SF:/tmp/x/src/fuzz/world.c", "DA:1,0", "SF:/tmp/src/src/pcie/tlp.c", "DA:9,0"]


class Coverage(unittest.TestCase):
    def test_counted(self):
        counts, missed = coverage.counted(LCOV, ["hca", "pcie", "subnet"])
        self.assertEqual((counts, missed), ({"hca": [3, 2], "all": [4, 2], "pcie": [1, 0]}, ["hca/cmd.c:4", "pcie/tlp.c:9"]))
        self.assertEqual(coverage.rows(counts), [("all", 4, 2, 500), ("hca", 3, 2, 666), ("pcie", 1, 0, 0)])
        self.assertEqual(coverage.lines(coverage.rows(counts)), [
            "room          lines  reached  percent", "all               4        2     50.0", "hca               3        2     66.6",
            "pcie              1        0      0.0"])

    def test_other_rooms(self):
        self.assertEqual(coverage.counted(LCOV, ["hca"])[0], {"hca": [3, 2], "all": [3, 2]})


if __name__ == "__main__":
    unittest.main()

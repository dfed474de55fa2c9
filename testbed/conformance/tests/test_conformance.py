# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/conformance: what is counted of verdicts, which failures count, and the table."""
import unittest

from testbed.conformance import report, table

HEAD = {"kernel": "7.3.4", "qemu": "11.1.3"}
VERDICTS = ["ucx\tmlx5_0\tpass\ta\t", "ucx\tmlx5_0\tskip\tb\tno memory", "ucx\tmlx5_0\tskip\tc\tno XRC", "ucx\tmlx5_0\tskip\td\tno XRC",
            "qperf\tmlx5_0\tpass\tsome case\t", "ucx\trxe0\tfail\ta\tit is slow: 5 s", "ucx\tmlx5_0\tskip\tg\tno device memory"]


class Report(unittest.TestCase):
    def test_document(self):
        document = report.report(VERDICTS, HEAD)
        self.assertEqual(document, {**HEAD, "suites": [
            {"name": "ucx", "device": "mlx5_0", "passed": 1, "failed": 0, "skipped": [
                {"cause": "no XRC", "count": 2}, {"cause": "no device memory", "count": 1}, {"cause": "no memory", "count": 1}],
             "failures": [], "passes": ["a"]},
            {"name": "qperf", "device": "mlx5_0", "passed": 1, "failed": 0, "skipped": [], "failures": [], "passes": ["some case"]},
            {"name": "ucx", "device": "rxe0", "passed": 0, "failed": 1, "skipped": [], "passes": [],
             "failures": [{"case": "a", "cause": "it is slow: 5 s"}]}]})

    def test_good(self):
        self.assertTrue(report.good(report.report(VERDICTS, HEAD)))
        self.assertFalse(report.good(report.report(VERDICTS + ["ucx\tmlx5_0\tfail\tx\twrong"], HEAD)))
        self.assertFalse(report.good(report.report([], HEAD)))
        self.assertFalse(report.good(report.report(VERDICTS + ["ucx\tmlx5_1\tfail\tx\twrong"], HEAD)))

    def test_no_verdict(self):
        with self.assertRaises(ValueError):
            report.report(["ucx\tmlx5_0\tpass"], HEAD)


class Table(unittest.TestCase):
    def test_lines(self):
        self.assertEqual(table.lines(report.report(VERDICTS, HEAD)), [
            "Linux 7.3.4; passed, failed, skipped:",
            "                                    mlx5_0                    rxe0",
            "ucx                        1      0      4         0      1      0",
            "qperf                      1      0      0",
            "failed: ucx on rxe0: a: it is slow: 5 s", "skipped: ucx on mlx5_0: 2 x no XRC",
            "skipped: ucx on mlx5_0: 1 x no device memory", "skipped: ucx on mlx5_0: 1 x no memory"])

    def test_nothing(self):
        self.assertEqual(table.lines(report.report([], HEAD)), ["Linux 7.3.4; passed, failed, skipped:", ""])


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/test/report.py."""
import unittest

from testbed.test import report

LINES = ["style\tpass\t004-tree\t", "race@kcsan\tfail\t001-set\tstatus 1", "style\tskip\t006-python\tno\troot", "race@kcsan\tpass\t001-set: a b\t",
         "race@kcsan\tseconds\t12\t"]


class Report(unittest.TestCase):
    def test_document(self):
        self.assertEqual(report.report(LINES, [("plain", "7.3.4"), ("kcsan", "7.3.4-x")], "plain"), {
            "kernels": [{"variant": "plain", "release": "7.3.4"}, {"variant": "kcsan", "release": "7.3.4-x"}],
            "passed": 2, "failed": 1, "skipped": 1, "suites": [
                {"name": "style", "kernel": "plain", "passed": 1, "failed": 0, "skipped": 1, "tests": [
                    {"test": "004-tree", "result": "pass"}, {"test": "006-python", "result": "skip", "reason": "no\troot"}]},
                {"name": "race", "kernel": "kcsan", "passed": 1, "failed": 1, "skipped": 0, "seconds": 12, "tests": [
                    {"test": "001-set", "result": "fail", "reason": "status 1"}, {"test": "001-set: a b", "result": "pass"}]}]})

    def test_kernel_of_plain(self):
        """A kernel of TPH_KERNEL is what it is, and not plain."""
        self.assertEqual([suite["kernel"] for suite in report.report(LINES, [], "debug")["suites"]], ["debug", "kcsan"])

    def test_nothing(self):
        self.assertEqual(report.report([], [], "plain"), {"kernels": [], "passed": 0, "failed": 0, "skipped": 0, "suites": []})

    def test_no_result(self):
        with self.assertRaises(ValueError):
            report.report(["style\tpass"], [], "plain")


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/fuzz/table.py."""
import unittest

from testbed.fuzz import table

DOCUMENT = {"seed": 1, "targets": [
    {"target": "tlp", "seed": 1, "seconds": 10, "executions": 4165, "finding": None},
    {"target": "transport", "seed": 1, "seconds": 0, "executions": 12345678, "finding": {"input": "fuzz/transport/crash-1", "why": "oracle: x"}}]}


class Table(unittest.TestCase):
    def test_lines(self):
        self.assertEqual(table.lines(DOCUMENT), [
            "target      executions   seconds  per second  finding", "tlp               4165        10         416  -",
            "transport     12345678         0           0  oracle: x", "transport: input fuzz/transport/crash-1"])

    def test_nothing(self):
        self.assertEqual(len(table.lines({"targets": []})), 1)


if __name__ == "__main__":
    unittest.main()

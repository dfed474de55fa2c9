# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/sandbox/perftest.py: units."""
import unittest

from testbed.sandbox import perftest


class Units(unittest.TestCase):
    def test_bandwidth(self):
        self.assertEqual(perftest.megabytes_per_s({"BW_average": 1.0, "MsgRate": 9}), 1.048576)

    def test_rate(self):
        self.assertEqual(perftest.messages_per_s({"BW_average": 9, "MsgRate": 0.25}), 250000)


if __name__ == "__main__":
    unittest.main()

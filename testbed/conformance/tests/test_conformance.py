# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/conformance: what is counted of verdicts, which failures count, and the table."""
import unittest

from testbed.conformance import document as kept, report, table

HEAD = {"kernel": "7.3.4", "qemu": "11.1.3"}
HERE = "mlx5_0\tInfiniBand"
THERE = "mlx5_0\tEthernet"
VERDICTS = [f"ucx\t{HERE}\tpass\ta\t", f"ucx\t{HERE}\tskip\tb\tno memory", f"ucx\t{HERE}\tskip\tc\tno XRC", f"ucx\t{HERE}\tskip\td\tno XRC",
            f"qperf\t{HERE}\tpass\tsome case\t", "ucx\trxe0\tEthernet\tfail\ta\tit is slow: 5 s", f"ucx\t{HERE}\tskip\tg\tno device memory"]
ETHERNET = [f"ucx\t{THERE}\tpass\ta\t", f"ucx\t{THERE}\tpass\tb\t", f"ucx\t{THERE}\tskip\tc\tno XRC"]


class Report(unittest.TestCase):
    def test_document(self):
        document = report.report(VERDICTS, HEAD)
        self.assertEqual(document, {**HEAD, "together": [], "suites": [
            {"name": "ucx", "device": "mlx5_0", "link_layer": "InfiniBand", "passed": 1, "failed": 0, "skipped": [
                {"cause": "no XRC", "count": 2}, {"cause": "no device memory", "count": 1}, {"cause": "no memory", "count": 1}],
             "failures": [], "passes": ["a"]},
            {"name": "qperf", "device": "mlx5_0", "link_layer": "InfiniBand", "passed": 1, "failed": 0, "skipped": [], "failures": [],
             "passes": ["some case"]},
            {"name": "ucx", "device": "rxe0", "link_layer": "Ethernet", "passed": 0, "failed": 1, "skipped": [], "passes": [],
             "failures": [{"case": "a", "cause": "it is slow: 5 s"}]}]})

    def test_together(self):
        document = report.report(VERDICTS + ETHERNET, HEAD)
        skipped = [{"cause": "no XRC", "cases": ["c", "d"]}, {"cause": "no device memory", "cases": ["g"]}]
        self.assertEqual(document["together"], [{"name": "ucx", "link_layers": ["InfiniBand", "Ethernet"], "passed": 2, "failed": 0,
                                                 "skipped": skipped}])
        self.assertEqual([one["link_layer"] for one in document["suites"]], ["InfiniBand", "InfiniBand", "Ethernet", "Ethernet"])
        # One that fails on two link layers is one that fails; what soft-RoCE does is not counted.
        failures = [f"ucx\t{where}\tfail\tx\twrong" for where in (HERE, THERE)] + ["ucx\trxe0\tEthernet\tpass\ty\t"]
        self.assertEqual(report.report(VERDICTS + ETHERNET + failures, HEAD)["together"],
                         [{"name": "ucx", "link_layers": ["InfiniBand", "Ethernet"], "passed": 2, "failed": 1, "skipped": skipped}])
        # One that has another cause on each.
        other = report.report(VERDICTS + ETHERNET + [f"ucx\t{THERE}\tskip\tg\tno port"], HEAD)["together"][0]["skipped"]
        self.assertEqual(other[1], {"cause": "no device memory; no port", "cases": ["g"]})

    def test_good(self):
        self.assertTrue(report.good(report.report(VERDICTS, HEAD)))
        self.assertFalse(report.good(report.report([], HEAD)))
        for where in (HERE, THERE, "mlx5_1\tInfiniBand"):
            self.assertFalse(report.good(report.report(VERDICTS + [f"ucx\t{where}\tfail\tx\twrong"], HEAD)))

    def test_no_verdict(self):
        with self.assertRaises(ValueError):
            report.report([f"ucx\t{HERE}\tpass"], HEAD)


class Table(unittest.TestCase):
    def test_lines(self):
        self.assertEqual(table.lines(report.report(VERDICTS + ETHERNET, HEAD)), [
            "Linux 7.3.4",
            "suite             device  port        passed  failed  skipped",
            "ucx               mlx5_0  InfiniBand       1       0        4",
            "ucx               rxe0    Ethernet         0       1        0",
            "ucx               mlx5_0  Ethernet         2       0        1",
            "qperf             mlx5_0  InfiniBand       1       0        0",
            "ucx, InfiniBand and Ethernet together: 2 passed, 0 failed, 3 skipped on each",
            "skipped on each: ucx: 2 x no XRC", "skipped on each: ucx: 1 x no device memory",
            "failed: ucx on rxe0: a: it is slow: 5 s", "skipped: ucx on mlx5_0: 2 x no XRC",
            "skipped: ucx on mlx5_0: 1 x no device memory", "skipped: ucx on mlx5_0: 1 x no memory",
            "skipped: ucx on mlx5_0, Ethernet: 1 x no XRC"])

    def test_nothing(self):
        self.assertEqual(table.lines(report.report([], HEAD)), ["Linux 7.3.4", "suite             device  port        passed  failed  skipped"])

    def test_earlier(self):
        """A document of a version that had no choice of link layers is read as before."""
        document = report.report(VERDICTS, HEAD)
        del document["together"]
        for one in document["suites"]:
            del one["link_layer"]
        self.assertEqual(table.lines(document)[2], "ucx               mlx5_0  -                1       0        4")
        now = report.report(VERDICTS, HEAD)
        self.assertEqual(kept.states(document), kept.states(now))
        self.assertEqual(kept.figures(document), kept.figures(now))


class Kept(unittest.TestCase):
    def test_ethernet_is_another_place(self):
        document = report.report(VERDICTS + ETHERNET, HEAD)
        self.assertEqual(kept.states(document), {
            "ucx on mlx5_0: a": "pass", "qperf on mlx5_0: some case": "pass", "ucx on rxe0: a": "fail: it is slow: 5 s",
            "ucx on mlx5_0, Ethernet: a": "pass", "ucx on mlx5_0, Ethernet: b": "pass"})
        self.assertEqual(kept.figures(document)["ucx together, passed"], (2, "cases"))
        self.assertEqual(kept.headline(document), "4 passed, 1 failed")


if __name__ == "__main__":
    unittest.main()

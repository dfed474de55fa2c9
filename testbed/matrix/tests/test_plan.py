# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/matrix/plan.py: all axes are there, tags are apart, and each cell says what has to come of it."""
import unittest

from testbed.matrix import plan
from testbed.sandbox import devices

KNOWN = devices.parse(plan.DEVICES.read_text())
QUICK, FULL = plan.cells(True, KNOWN), plan.cells(False, KNOWN)


class Cells(unittest.TestCase):
    def test_numbers(self):
        self.assertEqual((len(QUICK), len(FULL)), (123, 3969))
        for cells in (QUICK, FULL):
            self.assertEqual([cell["id"] for cell in cells], list(range(len(cells))))
            # A function is opened once, and an endpoint stays with it.
            order = [(cell["hca"], cell["target"]) for cell in cells]
            self.assertEqual(order, sorted(order))

    def test_functions(self):
        self.assertEqual(plan.functions(KNOWN), [
            {"hca": 1, "mode": "table", "width": 8}, {"hca": 2, "mode": "table", "width": 16},
            {"hca": 3, "mode": "direct", "width": 8}, {"hca": 4, "mode": "direct", "width": 16}])

    def test_axes(self):
        for cells in (QUICK, FULL):
            its = [cell for cell in cells if cell["target"] in plan.ENDPOINTS]
            self.assertEqual({(cell["target"], cell["operation"], cell["hca"]) for cell in its},
                             {(target, operation, hca) for target in plan.ENDPOINTS for operation in plan.OPERATIONS for hca in (1, 2, 3, 4)})
            self.assertEqual({cell["requested"]["ph"] for cell in its}, {None, 0, 1, 2, 3})
        with_hint = {(cell["target"], cell["operation"], cell["hca"], cell["requested"]["st"] is not None, cell["requested"]["st_ext"] is not None,
                      cell["requested"]["ph"], cell["size"], cell["qps"]) for cell in FULL}
        for operation in plan.OPERATIONS:
            for hca in (1, 2, 3, 4):
                for ph in range(4):
                    for st, st_ext in ((True, False), (False, True), (True, True)):
                        for target in plan.ENDPOINTS:
                            for size in (8, 4096, 65536):
                                for qps in (1, 16):
                                    self.assertIn((target, operation, hca, st, st_ext, ph, size, qps), with_hint)
                        for target in plan.OTHERS:
                            self.assertIn((target, operation, hca, st, st_ext, ph, 4096, 1), with_hint)

    def test_shapes(self):
        shapes = {(cell["target"], cell["size"], cell["qps"]) for cell in FULL}
        for size in range(3, 24):
            for qps in range(7):
                for target, most in (("gpu", 1 << 40), ("nvme", 64 << 20), ("host", 64 << 20), ("qemu-nvme", 8 << 20)):
                    self.assertEqual((target, 1 << size, 1 << qps) in shapes, (1 << size) * (1 << qps) <= most, (target, size, qps))
        self.assertEqual({cell["requested"]["ph"] for cell in FULL if cell["target"] in plan.OTHERS and cell["size"] != 4096}, {None})
        self.assertEqual({cell["requested"]["ph"] for cell in FULL if cell["target"] == "gpu" and cell["size"] == 1 << 20}, {None, 0, 1, 2, 3})
        self.assertEqual({cell["messages"] for cell in FULL if cell["size"] * cell["qps"] <= 65536}, {4})
        self.assertEqual({cell["messages"] for cell in FULL if cell["size"] * cell["qps"] > 65536}, {1})

    def test_tags(self):
        for cells in (QUICK, FULL):
            for cell in cells:
                st, st_ext, ph = (cell["requested"][key] for key in ("st", "st_ext", "ph"))
                self.assertEqual(ph is None, st is None and st_ext is None)
                self.assertTrue(st is None or 0 <= st <= 255)
                self.assertTrue(st_ext is None or 0 <= st_ext <= 65535)
                if st is not None and st_ext is not None:
                    self.assertNotEqual(st_ext % 256, st)
        self.assertIn(0, {cell["requested"]["st"] for cell in FULL})
        # Direct mode has tags that fit, and tags that do not.
        direct = {cell["requested"]["st_ext"] > 255 for cell in FULL if cell["mode"] == "direct" and cell["requested"]["st_ext"] is not None}
        self.assertEqual(direct, {True, False})


class Words(unittest.TestCase):
    def test_line(self):
        cell = {"id": 7, "target": "gpu", "operation": "send", "hca": 2, "size": 64, "qps": 4, "messages": 1}
        self.assertEqual(plan.words({**cell, "requested": {"st": 0, "st_ext": None, "ph": 3}}), "7 gpu send 2 0 - 3 64 4 1")
        self.assertEqual(plan.words({**cell, "requested": {"st": None, "st_ext": None, "ph": None}}), "7 gpu send 2 - - 0 64 4 1")


class Expectation(unittest.TestCase):
    def expected(self, target="gpu", mode="table", width=8, st=None, st_ext=None, ph=2):
        return plan.expectation({"target": target, "mode": mode, "width": width, "requested": {"st": st, "st_ext": st_ext, "ph": ph}})

    def test_applied(self):
        self.assertEqual(self.expected(ph=None), {"refused": None, "applied": None, "moved": True})
        self.assertEqual(self.expected(st=0, st_ext=7, ph=0), {"refused": None, "applied": {"st": 0, "st_width": 8, "ph": 0}, "moved": True})
        self.assertEqual(self.expected(width=16, st=0, st_ext=65535)["applied"], {"st": 65535, "st_width": 16, "ph": 2})
        self.assertEqual(self.expected(mode="direct", width=16, st_ext=255)["applied"], {"st": 255, "st_width": 16, "ph": 2})

    def test_refused(self):
        for words, step, errno, moved in (
                ({"target": "qemu-nvme", "st": 1}, "attach", "EOPNOTSUPP", False), ({"target": "host", "st": 1}, "register", "EINVAL", False),
                ({"st_ext": 1}, "register", "ENODATA", True), ({"width": 16, "st": 1}, "register", "ENODATA", True),
                ({"mode": "direct", "width": 16, "st_ext": 256}, "register", "ERANGE", True)):
            self.assertEqual(self.expected(**words), {"refused": {"step": step, "errno": errno}, "applied": None, "moved": moved})


class Runs(unittest.TestCase):
    def test_expectations(self):
        self.assertEqual([(row["hca"], row["expected"]) for row in plan.runs(True, KNOWN)], [("hca1", "hint"), ("hca2", "hint")])
        rows = plan.runs(False, KNOWN)
        one = [("hca1", "plain"), ("hca1", "hint"), ("hca1", "plain"), ("hca2", "hint"), ("hca3", "hint"), ("hca4", "hint"), ("hca4", "plain")]
        self.assertEqual([(row["hca"], row["expected"]) for row in rows[2:]], one + one + [("hca1", "plain"), ("hca1", "refused")])
        self.assertEqual({(row["target"] == "qemu-nvme", row["iters"]) for row in rows}, {(False, 1000), (True, 50)})


if __name__ == "__main__":
    unittest.main()

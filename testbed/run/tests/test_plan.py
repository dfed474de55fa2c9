# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/run/plan.py: what runs, on which devices, and what has to come of it."""
import io
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from testbed.run import plan
from testbed.sandbox import devices

KNOWN = devices.parse(plan.DEVICES.read_text())


def request(target="gpu", st_mode="table", width=8, st=None, st_ext=None, **more):
    return {"target": target, "st_mode": st_mode, "width": width, "st": st, "st_ext": st_ext, "ph": 2, "size": 64, "iters": 5, **more}


def brief(rows):
    return [(row["target"], row["st_mode"], row["width"], row["st"], row["st_ext"], row["expected"]) for row in rows]


class Expected(unittest.TestCase):
    def test_no_tag(self):
        for target in plan.TARGETS:
            self.assertEqual(plan.expected(request(target)), "plain")

    def test_refused(self):
        for target in plan.WITHOUT_TPH:
            self.assertEqual(plan.expected(request(target, st=0)), "refused")
            self.assertEqual(plan.expected(request(target, width=16, st=1)), "refused")

    def test_never_converted(self):
        self.assertEqual(plan.expected(request(st_ext=66)), "plain")
        self.assertEqual(plan.expected(request(width=16, st=66)), "plain")
        self.assertEqual(plan.expected(request(st=0, st_ext=66)), "hint")
        self.assertEqual(plan.expected(request(width=16, st=0, st_ext=0)), "hint")

    def test_never_truncated(self):
        self.assertEqual(plan.expected(request(st_mode="direct", width=16, st_ext=255)), "hint")
        self.assertEqual(plan.expected(request(st_mode="direct", width=16, st_ext=256)), "plain")
        self.assertEqual(plan.expected(request(width=16, st_ext=65535)), "hint")


class Standard(unittest.TestCase):
    def planned(self, *words):
        return plan.rows(plan.standard(plan.arguments(words)), KNOWN)

    def test_all(self):
        self.assertEqual(brief(self.planned("--target", "all")), [
            ("gpu", "table", 8, None, None, "plain"), ("gpu", "table", 8, 42, None, "hint"), ("gpu", "table", 16, None, 48879, "hint"),
            ("gpu", "direct", 8, 42, None, "hint"), ("nvme", "table", 8, None, None, "plain"), ("nvme", "table", 8, 42, None, "hint"),
            ("nvme", "table", 16, None, 48879, "hint"), ("gpu-no-tph", "table", 8, None, None, "plain"),
            ("gpu-no-tph", "table", 8, 42, None, "refused"), ("qemu-nvme", "table", 8, None, None, "plain"),
            ("qemu-nvme", "table", 8, 42, None, "refused")])

    def test_tags_given(self):
        self.assertEqual(brief(self.planned("--target", "gpu", "--st", "0")), [
            ("gpu", "table", 8, None, None, "plain"), ("gpu", "table", 8, 0, None, "hint")])
        self.assertEqual(brief(self.planned("--target", "gpu", "--st-ext", "0x1234")), [
            ("gpu", "table", 8, None, None, "plain"), ("gpu", "table", 16, None, 0x1234, "hint")])
        self.assertEqual(brief(self.planned("--target", "nvme", "--st-ext", "4660", "--st-width", "8", "--st-mode", "direct")), [
            ("nvme", "direct", 8, None, None, "plain"), ("nvme", "direct", 8, None, 4660, "plain")])

    def test_mode_given(self):
        self.assertEqual({row["st_mode"] for row in self.planned("--target", "gpu", "--st-mode", "direct")}, {"direct"})
        self.assertEqual(len(self.planned("--target", "gpu", "--st-mode", "table")), 3)

    def test_numbers(self):
        rows = self.planned("--target", "all", "--size", "4096", "--iters", "60", "--bar", "1", "--offset", "0x1000", "--ph", "3")
        self.assertEqual({(row["size"], row["bar"], row["offset"], row["ph"]) for row in rows}, {(4096, 1, 4096, 3)})
        self.assertEqual({(row["target"] == "qemu-nvme", row["iters"]) for row in rows}, {(False, 60), (True, 50)})
        self.assertEqual([row["id"] for row in rows], list(range(1, 12)))
        self.assertEqual({row["iters"] for row in self.planned("--target", "qemu-nvme", "--iters", "7")}, {7})


class Devices(unittest.TestCase):
    def test_rows(self):
        rows = plan.rows([request("nvme"), request("gpu-no-tph", "direct", 16), request("gpu", bar=4, offset=8),
                          request("qemu-nvme", width=16), request()], KNOWN)
        self.assertEqual([(row["device"], row["bdf"], row["bar"], row["hca"], row["hca_bdf"], row["offset"]) for row in rows], [
            ("nvme0", "0000:00:11.0", 2, "hca1", "0000:00:05.0", 0), ("gpu1", "0000:00:12.0", 0, "hca4", "0000:00:08.0", 0),
            ("gpu0", "0000:00:10.0", 4, "hca1", "0000:00:05.0", 8), ("qnvme0", "0000:00:13.0", 2, "hca2", "0000:00:06.0", 0),
            ("gpu0", "0000:00:10.0", 0, "hca1", "0000:00:05.0", 0)])

    def test_needed(self):
        lines = plan.DEVICES.read_text().splitlines() + ["gpu gpu7 14 size=16M", ""]
        rows = plan.rows([request("nvme", "direct", 8)], KNOWN)
        self.assertEqual([line.split()[1] for line in plan.needed(lines, rows, KNOWN) if not line.startswith("#")],
                         ["hca0", "hca3", "nvme0", "gpu7"])

    def test_files(self):
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "job").mkdir()
            (Path(name) / "devices").write_text(plan.DEVICES.read_text())
            (Path(name) / "job/topology").write_text("ib\n")
            with mock.patch("sys.argv", ["plan", name, "-"]), mock.patch("sys.stdin", io.StringIO(json.dumps(request(st=7)) + "\n")):
                plan.main()
            rows = [json.loads(line) for line in (Path(name) / "job/plan").read_text().splitlines()]
            self.assertEqual(brief(rows), [("gpu", "table", 8, 7, None, "hint")])
            self.assertEqual(set(devices.parse((Path(name) / "devices").read_text())), {"hca0", "hca1", "gpu0"})
            self.assertEqual(rows[0]["client"], "hca0")
            # The client is another machine.
            (Path(name) / "job/topology").write_text("soft-peer\n")
            with mock.patch("sys.argv", ["plan", name, "-"]), mock.patch("sys.stdin", io.StringIO(json.dumps(request(st=7)) + "\n")):
                plan.main()
            self.assertEqual(set(devices.parse((Path(name) / "devices").read_text())), {"hca1", "gpu0"})
            self.assertEqual(json.loads((Path(name) / "job/plan").read_text())["client"], "right")
            # It is, with a device that is in it.
            (Path(name) / "devices").write_text(plan.DEVICES.read_text())
            (Path(name) / "job/topology").write_text("two-hosts\n")
            with mock.patch("sys.argv", ["plan", name, "-"]), mock.patch("sys.stdin", io.StringIO(json.dumps(request(st=7)) + "\n")):
                plan.main()
            self.assertEqual(set(devices.parse((Path(name) / "devices").read_text())), {"hca0", "hca1", "gpu0"})
            self.assertEqual(json.loads((Path(name) / "job/plan").read_text())["client"], "right")

    def test_topology(self):
        # testbed/host/topologies.sh makes lines of roce; what is on the other end of a port does not matter for the plan.
        lines = ["hca hca0 04 st-mode=table st-width=8 link=ethernet", "hca hca1 05 st-mode=table st-width=8 link=ethernet",
                 "hca hca2 06 st-mode=table st-width=16 link=ethernet", "gpu gpu0 10 size=64M completer=extended ready=on"]
        rows = plan.rows([request(st=7)], KNOWN)
        self.assertEqual(plan.needed(lines, rows, KNOWN), [lines[0], lines[1], lines[3]])

    def test_parse(self):
        found = devices.parse("# comment\n\nipoib-mtu 2044\nport p0 0a\ngpu g p0:00 size=1M\nhca h 04 lid=1 st-mode=table\nnvme n 05\n")
        self.assertEqual(found, {"p0": {"kind": "port", "bdf": "0000:00:0a.0"}, "n": {"kind": "nvme", "bdf": "0000:00:05.0"},
                                 "h": {"kind": "hca", "bdf": "0000:00:04.0", "lid": "1", "st-mode": "table"}})
        with self.assertRaises(StopIteration):
            devices.function(found, "table", 8)


if __name__ == "__main__":
    unittest.main()

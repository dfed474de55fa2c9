# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/sandbox/topologies.py, and of what the files of testbed/topologies say."""
import json
import tempfile
import unittest
from pathlib import Path

from testbed.sandbox import topologies


class Topologies(unittest.TestCase):
    def test_parse(self):
        self.assertEqual(topologies.parse("# SPDX\n\nport ethernet\nmtu 9000\n"), {"port": "ethernet", "mtu": "9000"})
        self.assertEqual(topologies.parse("port ethernet\nmachine a\nmachine b\nnic virtio n\nport infiniband\nwire a/switch b/n\n"), {
            "port": "ethernet", "machines": [{"name": "a"}, {"name": "b", "nic": "virtio n", "port": "infiniband"}],
            "wires": ["a/switch b/n"]})

    def test_files(self):
        found = {path.name: topologies.parse(path.read_text()) for path in topologies.DIRECTORY.iterdir() if path.name != "README.md"}
        self.assertLessEqual({"ib", "roce", "soft-peer", "two-hosts", "two-hosts-ib", "two-emulators"}, set(found))
        for name, one in found.items():
            self.assertIn(one["port"], topologies.LINK_LAYERS, name)
            self.assertLessEqual(set(one), {"port", "mtu", "machines", "wires"}, name)
            # testbed/host/machines.sh knows no more than this: one more machine, with soft-RoCE on a wire, or with an HCA function.
            first, *more = one.get("machines", [{}])
            self.assertLessEqual(set(first), {"name"}, name)
            self.assertLessEqual(len(more), 1, name)
            for machine in more:
                self.assertTrue((topologies.DIRECTORY.parent / "guest" / f"{machine['serve']}.sh").exists(), name)
                left, right = f"{first['name']}/switch", machine["name"]
                if machine["kernel"] == "debian":
                    self.assertEqual(set(machine), {"name", "devices", "kernel", "nic", "serve"}, name)
                    self.assertEqual((machine["devices"], machine["nic"].split()[0]), ("none", "virtio"), name)
                    self.assertEqual(one["wires"], [f"{left} {right}/{machine['nic'].split()[1]}"], name)
                else:
                    self.assertEqual((set(machine) - {"emulator"}, machine["kernel"]), ({"name", "devices", "kernel", "serve"}, "series"), name)
                    self.assertEqual(machine["devices"], "hca0", name)
                    own = machine.get("emulator")
                    self.assertIn(own, (None, "own"), name)
                    self.assertEqual(one.get("wires"), [f"{left} {right}/switch"] if own else None, name)
                    # The subnet has no links out of an emulator.
                    self.assertIn(one["port"], ["ethernet"] if own else topologies.LINK_LAYERS, name)

    def test_link_layer(self):
        self.assertEqual([topologies.link_layer(name) for name in ("ib", "roce")], ["InfiniBand", "Ethernet"])
        with self.assertRaises(FileNotFoundError):
            topologies.link_layer("nonsense")

    def test_of(self):
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "job").mkdir()
            (Path(name) / "job/topology").write_text("roce\n")
            self.assertEqual(topologies.of(Path(name)), "roce")

    def test_elsewhere(self):
        self.assertEqual([topologies.elsewhere(name) for name in ("ib", "soft-peer", "two-hosts", "two-emulators")],
                         [{}, {}, {"hca0": "right"}, {"hca0": "right"}])

    def test_wires(self):
        self.assertEqual([topologies.wires(name) for name in ("roce", "soft-peer", "two-hosts", "two-emulators")], [False, True, False, True])

    def test_others(self):
        self.assertEqual([topologies.others(name) for name in ("ib", "soft-peer")], [[], ["right"]])

    def test_machines(self):
        with tempfile.TemporaryDirectory() as name:
            run = Path(name)
            for path in ("job", "right/job"):
                (run / path).mkdir(parents=True)
            (run / "job/topology").write_text("ib\n")
            self.assertIsNone(topologies.machines(run))
            (run / "job/topology").write_text("soft-peer\n")
            nothing = {"in": None, "in_octets": None, "out": None, "out_octets": None}
            self.assertEqual(topologies.machines(run), [{"name": "right", "kernel": None, "device": None, **nothing}])
            (run / "right/job/kernel").write_text("6.12\n")
            (run / "right/job/place").write_text("rxe0 10.8.0.101 1\n")
            counts = {"in": 1, "in_octets": 2, "out": 3, "out_octets": 4}
            (run / "job/switch").write_text(json.dumps({"links": [{"name": "left"}, {"name": "right", "in_lost": 5, **counts}]}))
            self.assertEqual(topologies.machines(run), [{"name": "right", "kernel": "6.12", "device": "rxe0", **counts}])

    def test_said(self):
        machines = [{"name": "right", "kernel": "6.12", "device": "rxe0"}]
        self.assertEqual(topologies.said({"topology": "soft-peer", "machines": machines}), ", topology soft-peer; right: Linux 6.12, rxe0")
        self.assertEqual([topologies.said(one) for one in ({}, {"topology": "ib"}, {"topology": "roce"})], ["", "", ", topology roce"])


if __name__ == "__main__":
    unittest.main()

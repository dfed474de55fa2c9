# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/sandbox/topologies.py, and of what the files of testbed/topologies say."""
import tempfile
import unittest
from pathlib import Path

from testbed.sandbox import topologies


class Topologies(unittest.TestCase):
    def test_parse(self):
        self.assertEqual(topologies.parse("# SPDX\n\nport ethernet\nmtu 9000\n"), {"port": "ethernet", "mtu": "9000"})

    def test_files(self):
        found = {path.name: topologies.parse(path.read_text()) for path in topologies.DIRECTORY.iterdir() if path.name != "README.md"}
        self.assertEqual(set(found) & {"ib", "roce"}, {"ib", "roce"})
        for name, one in found.items():
            self.assertIn(one["port"], topologies.LINK_LAYERS, name)
            self.assertLessEqual(set(one), {"port", "mtu"}, name)

    def test_link_layer(self):
        self.assertEqual([topologies.link_layer(name) for name in ("ib", "roce")], ["InfiniBand", "Ethernet"])
        with self.assertRaises(FileNotFoundError):
            topologies.link_layer("nonsense")

    def test_of(self):
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "job").mkdir()
            (Path(name) / "job/topology").write_text("roce\n")
            self.assertEqual(topologies.of(Path(name)), "roce")

    def test_said(self):
        self.assertEqual([topologies.said(one) for one in ({}, {"topology": "ib"}, {"topology": "roce"})], ["", "", ", topology roce"])


if __name__ == "__main__":
    unittest.main()

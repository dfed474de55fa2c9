# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/report/table.py: each figure of the document has its place, and what is wrong is said."""
import unittest

from testbed.report import table

STEP = {"layer": "memory key", "title": "What the HCA found", "rows": [
    {"at": "0x3c", "hex": "06 01 00 00", "fields": [["pcie_tph_en", 1, True], ["length", "5", False], ["pcie_tph_ph", "2, target", True]]},
    {"at": "0x40", "hex": "00", "fields": [["length", "5", False]]}, {"at": "", "hex": "", "fields": [["PH", "2", True]]}]}


def metric(title, unit, *ratios):
    return {"title": title, "unit": unit, "program": "ib_write_bw",
            "points": [{"series": "bar", "size": 8, "median": 1.5}, {"series": "bar", "size": 2048, "median": 1234.5},
                       {"series": "host", "size": 8, "median": 45.67}],
            "hint_ratio": [{"size": 8, "median": ratio} for ratio in ratios]}


DOCUMENT = {
    "kernel": "7.3.4", "qemu": "11.1.3", "repeats": 3, "again": {"clock": 2, "failed": 0}, "missing": [{"id": "siw", "name": "soft-iWARP"}],
    "series": [{"id": "bar", "name": "into the BAR"}, {"id": "host", "name": "into host memory"}],
    "bandwidth": metric("Bandwidth", "MB/s", 0.995), "latency": metric("Latency", "us"),
    "tags": [{"ph": None, "st": None, "st_width": None, "messages": 1, "wire": 8, "completer": 7},
             {"ph": 2, "st": 42, "st_width": 8, "messages": 50, "wire": 400, "completer": 400}],
    "hints": {"bar-tph": {"requests": 11}, "bar": {"requests": 12}}, "chains": [{"width": 8, "requested": "st=42,ph=2", "steps": [STEP]}],
    "gaps": ["soft-RoCE: 1 of 3"], "wrong": ["a tag"]}


class Table(unittest.TestCase):
    def test_figures(self):
        self.assertEqual([table.figure(value) for value in (None, 0.004, 1.505, 9.999, 10, 45.67, 99.96, 100.5, 12345.4)],
                         [None, 0, 1.5 + 0.01, 10, 10, 45.7, 100, 101, 12345])
        self.assertEqual([table.size(value) for value in (8, 1023, 1024, 1536, 1 << 20, 3 << 19)],
                         ["8 B", "1023 B", "1 KiB", "1.5 KiB", "1 MiB", "1.5 MiB"])

    def test_lines(self):
        self.assertEqual(table.lines(DOCUMENT), [
            "Linux 7.3.4, QEMU 11.1.3, emulated HCA: figures are for comparison within this run only",
            "not in this kernel: soft-iWARP", "runs repeated since perftest found no rate of the clock: 2", "",
            "Bandwidth, MB/s: median of 3 (ib_write_bw; CPU copy: memcpy)",
            "                                           8 B     2 KiB", "into the BAR                               1.5      1235",
            "into host memory                          45.7         -", "with the hint / without                      1         -", "",
            "Latency, us: median of 3 (ib_write_bw; CPU copy: memcpy)",
            "                                           8 B     2 KiB", "into the BAR                               1.5      1235",
            "into host memory                          45.7         -", "with the hint / without                      -         -", "",
            "tags at the completer:", "  tag                     messages     TLPs sent  TLPs counted",
            "  none                           1             8             7", "  42/8b ph 2                    50           400           400", "",
            "requests into the BAR while measuring: 11 with the hint asked for, 12 without any", "", "one write, 8-bit tag (st=42,ph=2):",
            "  memory key  What the HCA found",
            "              0x3c    06 01 00 00             pcie_tph_en = 1; pcie_tph_ph = 2, target",
            "              PH = 2", "to compare with, but not there: soft-RoCE: 1 of 3", "NOT AS IT HAS TO BE: a tag"])


if __name__ == "__main__":
    unittest.main()

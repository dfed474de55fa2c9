# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/run/judge.py and table.py: a run as it has to be passes, and each deviation does not."""
import copy
import json
import tempfile
import unittest
from pathlib import Path

from testbed.run import judge, plan, table
from testbed.run.tests.test_plan import KNOWN, request

RESOURCE = "0x00000000f8000000 0x00000000fbffffff 0x000000000014220c\n"


def hint(row):
    return {"ph": row["ph"], "st": row["st"] if row["width"] == 8 else row["st_ext"], "st_width": row["width"]}


def made_up(iommu="pt", **words):
    """(row of the plan, what the guest saw, summary of the TLPs) of a run as it has to be."""
    row = plan.rows([request(**words)], KNOWN)[0]
    there = row["expected"] == "hint"
    writes = 0 if row["expected"] == "refused" else 320
    asked = row["st"] is not None or row["st_ext"] is not None
    applied = {"source": "dma-buf", "steering_tag": hint(row)["st"], "st_width": row["width"], "ph": 2, "fallback": False, "stale": False} \
        if there else {"source": "none", "fallback": True, "reason": "no tag of that width"}
    seen = {"outcome": {"server": 0, "client": 0, "errno": "", "verified": True, "link": "InfiniBand"}, "resource": RESOURCE,
            "mkey": {"mkey": 5, "tph": there, "dma_low": "0x1000", "dma_high": "0x2000",
                     **(hint(row) if there else {"ph": None, "st": None, "st_width": None})},
            "counts": {"counts": [{"ph": None, "st": None, "st_width": None, "writes": 0 if there else writes, "reads": 7}]},
            "client": {"results": {"MsgSize": 64, "n_iterations": 5, "BW_average": 100.004}},
            "server": {"test_info": {"dmabuf_tph": {"applied": applied}}} if asked else None}
    if there:
        seen["counts"]["counts"].append({**hint(row), "writes": writes if iommu != "translated" else 0, "reads": 0})
    if row["expected"] == "refused":
        seen.update(outcome={"server": 1, "client": 1, "errno": "EOPNOTSUPP", "verified": None, "link": "InfiniBand"}, client=None, server=None, mkey={"mkey": None})
    if row["target"] == "qemu-nvme":
        seen["counts"] = None
    tlp = {"bar_writes": writes, "with_hint": writes if there else 0, "wrong_hint": 0, "hint_elsewhere": 0,
           "by_hint": [{**hint(row), "count": writes}] if there else [], "other": 5}
    return row, seen, tlp


HINTED = ({"st": 42}, {"width": 16, "st_ext": 48879}, {"st_mode": "direct", "st": 0}, {"target": "nvme", "st": 7, "st_ext": 300})
PLAIN = ({}, {"st_ext": 66}, {"target": "gpu-no-tph"}, {"target": "qemu-nvme"})
REFUSED = ({"target": "gpu-no-tph", "st": 42}, {"target": "qemu-nvme", "st": 42})


def change(where, *path):
    """A function that sets what PATH leads to."""
    *path, last, value = path

    def apply(parts):
        one = parts[where]
        for key in path:
            one = one[key]
        one[last] = value(one[last]) if callable(value) else value
    return apply


SEEN, TLP = 1, 2


class Judged(unittest.TestCase):
    def judged(self, words, *changes, iommu="pt", link="InfiniBand"):
        parts = copy.deepcopy(made_up(iommu, **words))
        for one in changes:
            one(parts)
        return judge.judged(*parts, iommu, link)

    def fails(self, words, *changes, **more):
        self.assertIs(self.judged(words, *changes, **more)["as_expected"], False, words)

    def test_as_it_has_to_be(self):
        for words in HINTED + PLAIN + REFUSED:
            for iommu in ("pt", "translated", "off"):
                self.assertIs(self.judged(words, iommu=iommu)["as_expected"], True, words)

    def test_document(self):
        self.assertEqual(self.judged({"st": 42}), {
            "target": "gpu", "bdf": "0000:00:10.0", "bar": 0, "st_mode": "table", "width": 8,
            "link_layer": "InfiniBand", "requested": {"st": 42, "st_ext": None, "ph": 2},
            "mkey": {"tph": True, "ph": 2, "st": 42, "st_width": 8}, "result": "ok", "errno": None,
            "perftest": {"program": "ib_write_bw", "size": 64, "iters": 5, "bw_avg_MBps": 104.86, "applied": {
                "source": "dma-buf", "steering_tag": 42, "st_width": 8, "ph": 2, "fallback": False, "stale": False}},
            "tlp": {"bar_writes": 320, "with_hint": 320, "wrong_hint": 0, "hint_elsewhere": 0,
                    "by_hint": [{"ph": 2, "st": 42, "st_width": 8, "count": 320}]},
            "completer": {"by_hint": [{"ph": 2, "st": 42, "st_width": 8, "count": 320}]}, "data_verified": True, "expected": "hint",
            "as_expected": True})
        refused = self.judged({"target": "qemu-nvme", "st": 42})
        self.assertEqual([refused[key] for key in ("mkey", "result", "errno", "data_verified")], [None, "refused", "EOPNOTSUPP", None])
        self.assertEqual([refused["perftest"][key] for key in ("bw_avg_MBps", "applied")], [None, None])
        self.assertEqual(self.judged({})["requested"], {"st": None, "st_ext": None, "ph": None})

    def test_job_fails(self):
        for words in HINTED + PLAIN:
            self.fails(words, change(SEEN, "outcome", "verified", False))
            for side in ("server", "client"):
                failed = self.judged(words, change(SEEN, "outcome", side, 1))
                self.assertEqual((failed["result"], failed["data_verified"], failed["as_expected"]), ("failed", None, False))
            # It says why, but nothing was to be refused.
            refused = self.judged(words, change(SEEN, "outcome", "server", 1), change(SEEN, "outcome", "errno", "EOPNOTSUPP"))
            self.assertEqual((refused["result"], refused["as_expected"]), ("refused", False))

    def test_wire(self):
        for words in HINTED + PLAIN:
            self.fails(words, change(TLP, "bar_writes", 0), change(TLP, "with_hint", 0))
            self.fails(words, change(TLP, "wrong_hint", 1))
            self.fails(words, change(TLP, "hint_elsewhere", 1))
        for words in HINTED:
            self.fails(words, change(TLP, "with_hint", lambda count: count - 1))
        for words in PLAIN:
            self.fails(words, change(TLP, "with_hint", 1))

    def test_link_layer(self):
        ethernet = change(SEEN, "outcome", "link", "Ethernet")
        for words in HINTED + PLAIN + REFUSED:
            self.fails(words, ethernet)
            self.fails(words, link="Ethernet")
            self.assertIs(self.judged(words, ethernet, link="Ethernet")["as_expected"], True, words)

    def test_memory_key(self):
        for words in HINTED:
            self.fails(words, change(SEEN, "mkey", "tph", False))
            self.fails(words, change(SEEN, "mkey", "st", lambda st: st + 1))
            self.fails(words, change(SEEN, "mkey", "ph", 1))
            self.fails(words, change(SEEN, "mkey", {"mkey": None}))
        for words in PLAIN:
            self.fails(words, change(SEEN, "mkey", "tph", True))

    def test_read_back(self):
        where = (SEEN, "server", "test_info", "dmabuf_tph", "applied")
        for words in HINTED:
            for key, value in (("source", "none"), ("steering_tag", lambda st: st + 1), ("st_width", lambda width: 24 - width), ("ph", 3)):
                self.fails(words, change(*where, key, value))
            self.fails(words, change(SEEN, "server", None))
        self.fails({"st_ext": 66}, change(*where, "source", "dma-buf"))
        self.fails({"st_ext": 66}, change(SEEN, "server", None))
        self.fails({}, change(SEEN, "server", {"test_info": {"dmabuf_tph": {"applied": {"source": "none"}}}}))

    def test_completer(self):
        for words in HINTED:
            self.fails(words, change(SEEN, "counts", "counts", 1, "writes", lambda count: count - 1))
            self.fails(words, change(SEEN, "counts", "counts", 1, "st_width", lambda width: 24 - width))
            self.fails(words, change(SEEN, "counts", "counts", 0, "writes", 1))
            self.assertTrue(self.judged(words, change(SEEN, "counts", "counts", 0, "writes", 320), iommu="translated")["as_expected"])
        self.fails({}, change(SEEN, "counts", "counts", 0, "writes", 0))

    def test_counts_of_nothing(self):
        # Hints of runs before, which the completer has a place for.
        old = {"ph": 3, "st": 9, "st_width": 8, "writes": 0, "reads": 5}
        run = self.judged({"st": 42}, change(SEEN, "counts", "counts", lambda counts: counts + [old]))
        self.assertEqual((len(run["completer"]["by_hint"]), run["as_expected"]), (1, True))
        self.fails({"st": 42}, change(SEEN, "counts", "counts", lambda counts: counts + [{**old, "writes": 1}]))

    def test_refusal(self):
        for words in REFUSED:
            self.fails(words, change(SEEN, "outcome", "errno", "EINVAL"))
            self.fails(words, change(SEEN, "outcome", "errno", ""))
            self.fails(words, change(TLP, "bar_writes", 1))
            self.fails(words, change(TLP, "hint_elsewhere", 1))
            client = {"results": {"BW_average": 1.0}}
            self.fails(words, change(SEEN, "client", client), change(SEEN, "outcome", {"server": 0, "client": 0, "errno": "", "verified": True, "link": "InfiniBand"}))


class Wire(unittest.TestCase):
    def asked(self, iommu="pt", **words):
        row, seen, _ = made_up(iommu, **words)
        return judge.wire(row, seen, iommu)

    def test_questions(self):
        begin = "--from begin-1 --to end-1 --source hca1 --window 0xf8000000,67108864 --expect "
        self.assertEqual(self.asked(), begin + "none")
        self.assertEqual(self.asked(st=42), begin + "ph=2,st=42,width=8")
        self.assertEqual(self.asked(st_ext=66), begin + "none")
        self.assertEqual(self.asked(target="qemu-nvme", st=42), begin + "none")
        self.assertEqual(self.asked(width=16, st=1, st_ext=0), begin.replace("hca1", "hca2") + "ph=2,st=0,width=16")

    def test_translated(self):
        self.assertIn(" --window 0x1000,4096 ", self.asked("translated", st=42))
        self.assertIn(" --window 0x0,1 ", self.asked("translated", target="gpu-no-tph", st=42))


class Report(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.run_dir = Path(directory.name)
        self.rows = plan.rows([request(st=42), request()], KNOWN)
        self.job = self.run_dir / "job"
        for name in ("job/host-memory", "wire"):
            (self.run_dir / name).mkdir(parents=True)
        (self.job / "kernel").write_text("7.3.4\n")
        (self.job / "iommu").write_text("pt\n")
        (self.job / "topology").write_text("ib\n")
        (self.job / "plan").write_text("".join(json.dumps(row) + "\n" for row in self.rows))
        for row, words in zip(self.rows, ({"st": 42}, {})):
            _, seen, tlp = made_up(**words)
            path = self.job / "rows" / str(row["id"])
            path.mkdir(parents=True)
            for key, name in (("outcome", "outcome"), ("mkey", "mkey"), ("counts", "counts"), ("client", "client.json"), ("server", "server.json")):
                if seen[key] is not None:
                    (path / name).write_text(json.dumps(seen[key]))
            (path / "resource").write_text(RESOURCE)
            (self.run_dir / f"wire/{row['id']}.json").write_text(json.dumps(tlp))

    def test_good(self):
        (self.job / "host-memory/rxe.json").write_text('{"results": {"MsgSize": 65536, "n_iterations": 9, "BW_average": 1.5}}')
        document, good = judge.report(self.run_dir, "11.1.3")
        self.assertTrue(good)
        self.assertEqual([document[key] for key in ("kernel", "qemu", "iommu", "topology")], ["7.3.4", "11.1.3", "pt", "ib"])
        self.assertEqual([run["as_expected"] for run in document["runs"]], [True, True])
        self.assertEqual(document["host_memory"], [
            {"device": "rxe", "program": "ib_write_bw", "size": 65536, "iters": 9, "bw_avg_MBps": 1.57}])
        self.assertEqual(table.lines(document), [
            "Linux 7.3.4, QEMU 11.1.3, IOMMU pt",
            "target     mode      requested       memory key      result             BAR TLPs  hinted wrong   MB/s  bytes",
            "gpu        table/8   ST 42 ph 2      42/8b ph 2      ok                      320     320     0    105  equal",
            "gpu        table/8   none            no hint         ok                      320       0     0    105  equal",
            "", "host memory, ib_write_bw, messages of 65536 bytes:", "  rxe        2 MB/s"])

    def test_topology(self):
        (self.job / "topology").write_text("roce\n")
        self.assertFalse(judge.report(self.run_dir, "")[1])
        for row in self.rows:
            path = self.job / "rows" / str(row["id"]) / "outcome"
            path.write_text(path.read_text().replace("InfiniBand", "Ethernet"))
        document, good = judge.report(self.run_dir, "11.1.3")
        self.assertTrue(good)
        self.assertEqual([document["topology"]] + [run["link_layer"] for run in document["runs"]], ["roce", "Ethernet", "Ethernet"])
        self.assertEqual(table.lines(document)[0], "Linux 7.3.4, QEMU 11.1.3, IOMMU pt, topology roce")

    def test_machines(self):
        (self.job / "topology").write_text("soft-peer\n")
        (self.run_dir / "right/job").mkdir(parents=True)
        for row in self.rows:
            path = self.job / "rows" / str(row["id"]) / "outcome"
            path.write_text(path.read_text().replace("InfiniBand", "Ethernet"))
        # 5 messages of 64 bytes, twice
        switch = {"links": [{"name": "right", "in": 10, "in_octets": 640, "out": 10, "out_octets": 600}]}
        for file, text in (("right/job/kernel", "6.12\n"), ("right/job/place", "rxe0 10.8.0.101 1\n"), ("job/switch", json.dumps(switch))):
            self.assertFalse(judge.report(self.run_dir, "")[1], file)
            (self.run_dir / file).write_text(text)
        document, good = judge.report(self.run_dir, "11.1.3")
        self.assertTrue(good)
        self.assertEqual(document["machines"], [{"name": "right", "kernel": "6.12", "device": "rxe0", "in": 10, "in_octets": 640, "out": 10,
                                                 "out_octets": 600}])
        self.assertEqual(table.lines(document)[0], "Linux 7.3.4, QEMU 11.1.3, IOMMU pt, topology soft-peer; right: Linux 6.12, rxe0")
        switch["links"][0]["in_octets"] = 639
        (self.job / "switch").write_text(json.dumps(switch))
        self.assertFalse(judge.report(self.run_dir, "")[1])

    def test_no_wire(self):
        """Within one emulator nobody counts what goes from one machine to the other."""
        (self.job / "topology").write_text("two-hosts\n")
        (self.run_dir / "right/job").mkdir(parents=True)
        for row in self.rows:
            path = self.job / "rows" / str(row["id"]) / "outcome"
            path.write_text(path.read_text().replace("InfiniBand", "Ethernet"))
        for file, text in (("kernel", "7.3.4\n"), ("place", "mlx5_0 10.8.0.101 3\n")):
            self.assertFalse(judge.report(self.run_dir, "")[1], file)
            (self.run_dir / "right/job" / file).write_text(text)
        document, good = judge.report(self.run_dir, "")
        self.assertTrue(good)
        self.assertEqual(document["machines"], [{"name": "right", "kernel": "7.3.4", "device": "mlx5_0", "in": None, "in_octets": None, "out": None,
                                                 "out_octets": None}])
        # The same of two emulators is a run whose bytes went another way.
        (self.job / "topology").write_text("two-emulators\n")
        self.assertFalse(judge.report(self.run_dir, "")[1])

    def test_no_result(self):
        (self.job / "rows/1").rename(self.job / "left")
        document, good = judge.report(self.run_dir, "")
        self.assertFalse(good)
        self.assertEqual(len(document["runs"]), 1)

    def test_no_json(self):
        (self.job / "rows/1/client.json").write_text('{"results": {"BW_average": inf}}')
        self.assertFalse(judge.report(self.run_dir, "")[1])

    def test_wrong(self):
        tlp = json.loads((self.run_dir / "wire/2.json").read_text())
        (self.run_dir / "wire/2.json").write_text(json.dumps({**tlp, "wrong_hint": 3}))
        document, good = judge.report(self.run_dir, "")
        self.assertFalse(good)
        self.assertIn("gpu        table/8   none            no hint         ok                      320       0     3    105  "
                      "equal NOT AS EXPECTED (plain)", table.lines(document))

    def test_table(self):
        document, _ = judge.report(self.run_dir, "")
        run = document["runs"][0]
        run.update(result="refused", errno="EOPNOTSUPP", data_verified=None)
        run["perftest"]["bw_avg_MBps"] = None
        run["tlp"]["bar_writes"] = 0
        self.assertIn("gpu        table/8   ST 42 ph 2      -               refused EOPNOTSUPP        0     320     0      -  -",
                      table.lines(document))


if __name__ == "__main__":
    unittest.main()

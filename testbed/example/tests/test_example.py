# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/example: evidence as it has to be passes, and each deviation is named."""
import copy
import json
import tempfile
import unittest
from pathlib import Path

from testbed.example import judge, plan, table
from testbed.sandbox import devices

PLAN = plan.rows(["bar", "tags"], devices.parse(plan.DEVICES.read_text()))
HEAD = {"kernel": "7.3.4", "qemu": "11.1.3", "iommu": "pt"}
# The last one: tags of 16 bits, eight clients.
LAST = 3


def text(hint):
    return f"tag {hint['st']}, PH 2, {hint['st_width']}-bit"


def evidence():
    """(results, flows): what the guest and the wire have to say about the plan."""
    results, flows = [], []
    for row in PLAN:
        hints = [{"ph": 2, "st": row["tag"] + i, "st_width": row["width"]} for i in range(row["clients"])]
        results.append({
            "number": row["number"],
            "server": {"command": "server", "status": 0, "said": [f"client: memory key: {text(hint)}, from dma-buf" for hint in hints]
                       + ["client: verified: 65536 bytes"] * len(hints)},
            "clients": [{"command": "client", "status": 0, "said": [f"offered: 65536 bytes, {text(hint)}", "read back 65536 bytes: equal"]}
                        for hint in hints],
            "completer": [{"hint": None, "writes": 0, "reads": 0, "write_bytes": 0, "read_bytes": 0}]
            + [{"hint": hint, "writes": 128, "reads": 128, "write_bytes": 65536, "read_bytes": 65536} for hint in hints]})
        flows.append({"mark": f"example-{row['number']}", "flows": [
            {"source": "hca0", "target": None, "type": "write", "hint": None, "tlps": 9, "bytes": 99}]
            + [{"source": row["hca"], "target": "gpu0", "type": kind, "hint": hint, "tlps": 128, "bytes": 65536}
               for hint in hints for kind in ("write", "read")]})
    return copy.deepcopy((results, flows))


class Plan(unittest.TestCase):
    def test_rows(self):
        self.assertEqual([[row[key] for key in ("number", "example", "hca", "device", "width", "tag", "clients", "tag_option", "client_option")]
                          for row in PLAN], [
            [1, "bar", "hca0", "mlx5_0", 8, 42, 1, "-t", None], [2, "bar", "hca1", "mlx5_1", 16, 48879, 1, "-T", "-i"],
            [3, "tags", "hca0", "mlx5_0", 8, 32, 8, "-t", None], [4, "tags", "hca1", "mlx5_1", 16, 4096, 8, "-T", "-i"]])


class Judged(unittest.TestCase):
    def broken(self, causes, change):
        """With CHANGE, a function of its result and its flows, the last example alone fails, with CAUSES."""
        results, flows = evidence()
        change(results[LAST], flows[LAST]["flows"])
        document = judge.report(PLAN, [one for one in results if one["number"] is not None], flows, HEAD)
        self.assertEqual((document["passed"], document["failed"]), (3, 1))
        self.assertEqual(document["runs"][LAST]["causes"], causes)
        return document["runs"][LAST]

    def test_as_it_has_to_be(self):
        document = judge.report(PLAN, *evidence(), HEAD)
        self.assertEqual((document["passed"], document["failed"]), (4, 0))
        self.assertTrue(all(run["agree"] and run["causes"] == [] for run in document["runs"]))

    def test_no_result(self):
        run = self.broken(["no result"], lambda result, _: result.update(number=None))
        self.assertEqual((run["server"], run["clients"], run["agree"]), (None, None, False))

    def test_statuses(self):
        self.broken(["the server ended with status 1"], lambda result, _: result["server"].update(status=1))
        self.broken(["a client ended with status 130"], lambda result, _: result["clients"][5].update(status=130))

    def test_what_was_said(self):
        def server(old, new):
            def change(result, _):
                result["server"]["said"][2] = result["server"]["said"][2].replace(old, new)
            return change

        def client(old, new):
            def change(result, _):
                result["clients"][2]["said"][0] = result["clients"][2]["said"][0].replace(old, new)
            return change

        for old, new in (("tag 4098", "tag 4099"), ("16-bit", "8-bit"), ("PH 2", "PH 1"), ("tag 4098, PH 2, 16-bit", "no hint")):
            self.broken(["memory keys have other hints"], server(old, new))
            self.broken(["clients were offered other hints"], client(old, new))
        self.broken(["not all was verified"], lambda result, _: result["server"]["said"].pop())
        self.broken(["not all was read back"], lambda result, _: result["clients"][7]["said"].pop())
        self.broken(["not all was verified"], lambda result, _: result["server"]["said"].append("client: verified: 65536 bytes"))

    def test_requester(self):
        """What is on the wire and at the completer alike is a fault of the requester."""
        def tag(result, flows):
            for one in (result["completer"][1], flows[1], flows[2]):
                one["hint"] = {**one["hint"], "st": 5000}

        def none(result, flows):
            for one in (result["completer"][1], flows[1], flows[2]):
                one["hint"] = None
        self.broken(["other hints at the completer"], tag)
        self.broken(["other hints at the completer"], none)
        self.broken(["other bytes at the completer"], lambda result, flows: (
            result["completer"][1].update(write_bytes=65528), flows[1].update(bytes=65528)))
        self.broken(["other bytes at the completer"], lambda result, flows: (
            result["completer"][1].update(read_bytes=65528), flows[2].update(bytes=65528)))

    def test_wire(self):
        other = ["the completer counted others than were on the wire"]
        self.assertFalse(self.broken(other, lambda _, flows: flows[1].update(tlps=127))["agree"])
        self.broken(other, lambda _, flows: flows[1].update(bytes=65528))
        self.broken(other, lambda _, flows: flows[3].update(hint={**flows[3]["hint"], "st": 4096}))
        self.broken(other, lambda _, flows: flows[3].update(hint={**flows[3]["hint"], "ph": 0}))
        self.broken(other, lambda _, flows: flows[1].update(type="read"))
        self.broken(other, lambda _, flows: flows.append({**flows[1], "hint": None, "tlps": 1, "bytes": 8}))
        hint = {"ph": 2, "st": 4096, "st_width": 16}
        self.broken(["9 TLPs elsewhere have a hint"], lambda _, flows: flows[0].update(hint=hint))
        self.broken(["1 TLPs elsewhere have a hint"], lambda _, flows: flows.append(
            {"source": "hca0", "target": "gpu0", "type": "write", "hint": hint, "tlps": 1, "bytes": 8}))


class Results(unittest.TestCase):
    def test_files(self):
        with tempfile.TemporaryDirectory() as name:
            job = Path(name)
            self.assertEqual(judge.results(job), [])
            for number in (10, 9):
                (job / f"results/{number}").mkdir(parents=True)
                for program in ("server", "client-1", "client-2"):
                    for suffix, text in ((".command", f"{program} -v\n"), (".status", "143\n"), ("", "a\n b\n")):
                        (job / f"results/{number}/{program}{suffix}").write_text(text)
                (job / f"results/{number}/counts").write_text(json.dumps({"hints": 2, "counts": [
                    {"ph": None, "st": None, "st_width": None, "writes": 1, "reads": 2, "write_bytes": 3, "read_bytes": 4},
                    {"ph": 2, "st": 42, "st_width": 8, "writes": 5, "reads": 6, "write_bytes": 7, "read_bytes": 8}]}))
            found = judge.results(job)
            self.assertEqual([one["number"] for one in found], [9, 10])
            said = {"command": "client-2 -v", "status": 143, "said": ["a", " b"]}
            self.assertEqual((found[0]["clients"][1], len(found[0]["clients"])), (said, 2))
            self.assertEqual(found[0]["server"], {**said, "command": "server -v"})
            self.assertEqual(found[0]["completer"], [
                {"hint": None, "writes": 1, "reads": 2, "write_bytes": 3, "read_bytes": 4},
                {"hint": {"ph": 2, "st": 42, "st_width": 8}, "writes": 5, "reads": 6, "write_bytes": 7, "read_bytes": 8}])


class Table(unittest.TestCase):
    def test_lines(self):
        results, flows = evidence()
        del results[1]
        results[0]["completer"].append({"hint": None, "writes": 1, "reads": 0, "write_bytes": 8, "read_bytes": 0})
        said = table.lines(judge.report(PLAN, results, flows, HEAD))
        self.assertEqual(said[:16], [
            "Linux 7.3.4, QEMU 11.1.3, IOMMU pt", "", "example bar, the BAR of gpu0 behind mlx5_0, which sends 8-bit tags:",
            "$ server", "  client: memory key: tag 42, PH 2, 8-bit, from dma-buf", "  client: verified: 65536 bytes",
            "$ client", "  offered: 65536 bytes, tag 42, PH 2, 8-bit", "  read back 65536 bytes: equal", "  what the completer counted:",
            "       tag  width  PH  writes    bytes   reads    bytes", "      none      -   -       1        8       0        0",
            "        42      8   2     128    65536     128    65536",
            "  NOT what mlx5_0 sent; TLPs elsewhere with a hint: 0", "  FAILED: other hints at the completer",
            "  FAILED: other bytes at the completer"])
        self.assertIn("$ (no result)", said)
        self.assertEqual(said.count("  ... and 7 more clients"), 2)
        self.assertEqual(said[-1], "2 examples as expected, 2 not")


if __name__ == "__main__":
    unittest.main()

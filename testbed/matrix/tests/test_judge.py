# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/matrix/judge.py and table.py: evidence as it has to be passes, and each deviation fails its cell alone, by name."""
import copy
import unittest

from testbed.matrix import judge, plan, table
from testbed.run import judge as run_judge
from testbed.run.tests import test_judge as run_test
from testbed.sandbox import devices

KNOWN = devices.parse(plan.DEVICES.read_text())
CELLS = plan.cells(True, KNOWN)
NO_RUNS = {"runs": [], "kernel": "7.3.4", "qemu": "11.1.3", "iommu": "pt", "topology": "ib"}


def evidence(cells):
    """(results, flows): what guest and trace say when all is as it has to be; each message is one TLP."""
    results, flows = [], []
    for cell in cells:
        expected, count = cell["expected"], cell["qps"] * cell["messages"]
        size, read = count * cell["size"], cell["operation"] == "read"
        device = judge.COUNTING.get(cell["target"])
        completer = {"hint": expected["applied"], "writes": 0 if read else count, "reads": count if read else 0,
                     "write_bytes": 0 if read else size, "read_bytes": size if read else 0}
        results.append({"id": cell["id"], "refused": expected["refused"], "applied": expected["applied"], "moved": expected["moved"],
                        "status": "success", "bytes": size if expected["moved"] else 0, "mismatches": 0,
                        "completer": [completer] if device else None})
        route = "function" if device else "message" if cell["target"] == "qemu-nvme" else "memory"
        flows.append({"mark": f"cell-{cell['id']}", "flows": [
            {"source": f"hca{cell['hca']}", "target": device, "route": route, "type": "read" if read else "write", "hint": expected["applied"],
             "tlps": count, "bytes": size},
            {"source": "hca0", "target": None, "route": "memory", "type": "write", "hint": None, "tlps": 1, "bytes": 64}]
            if expected["moved"] else []})
    return copy.deepcopy((results, flows))


def hinted(cell):
    return cell["expected"]["applied"] is not None and cell["operation"] == "write"


def add(number):
    return lambda value: value + number


class Judged(unittest.TestCase):
    def failing(self, chosen, change):
        """The one cell that fails after CHANGE, a function of its result and its flows, to the first cell that is CHOSEN."""
        cell = next(filter(chosen, CELLS))
        results, flows = evidence(CELLS)
        change(results[cell["id"]], flows[cell["id"]]["flows"])
        document = judge.report(CELLS, [one for one in results if one["id"] is not None], flows, NO_RUNS, True)
        failed = [one for one in document["cells"] if one["verdict"] == "fail"]
        self.assertEqual((len(failed), document["failed"], document["passed"]), (1, 1, len(CELLS) - 1))
        self.assertEqual(sum(one[key] for one in document["cells"] for key in ("mismatches", "wrong_hint")),
                         document["mismatches"] + document["wrong_hint"])
        return failed[0]

    def broken(self, chosen, causes, change, **more):
        cell = self.failing(chosen, change)
        self.assertEqual(cell["causes"], [cause.format(payload=cell["size"] * cell["qps"] * cell["messages"]) for cause in causes])
        for key, value in more.items():
            self.assertEqual(cell[key], value)

    def of_result(self, causes, key, value, chosen=hinted, **more):
        def change(result, _):
            result[key] = value(result[key]) if callable(value) else value
        self.broken(chosen, causes, change, **more)

    def of_flow(self, causes, number, key, value, chosen=hinted, **more):
        def change(_, flows):
            flows[number][key] = value(flows[number][key]) if callable(value) else value
        self.broken(chosen, causes, change, **more)

    def test_as_it_has_to_be(self):
        results, flows = evidence(CELLS)
        document = judge.report(CELLS, results, flows, NO_RUNS, True)
        self.assertEqual([document[key] for key in ("failed", "passed", "mismatches", "wrong_hint")], [0, len(CELLS), 0, 0])
        self.assertGreater(document["bytes"], 100000000)
        self.assertEqual(document["refused"], sum(cell["expected"]["refused"] is not None for cell in CELLS))
        self.assertEqual([one["target"] for one in document["histogram"]], ["gpu", "nvme"])
        for target in document["histogram"]:
            found = [one["hint"] for one in target["hints"]]
            self.assertIsNone(found[0])
            keys = [(one["ph"], one["st"], one["st_width"]) for one in found[1:]]
            self.assertEqual(keys, sorted(set(keys)))
        counted = [one for target in document["histogram"] for one in target["hints"]]
        moved = [cell for cell in CELLS if cell["target"] in judge.COUNTING and cell["expected"]["moved"]]
        self.assertEqual(sum(one["writes"] + one["reads"] for one in counted), sum(cell["qps"] * cell["messages"] for cell in moved))
        self.assertEqual(sum(one["bytes"] for one in counted), sum(cell["size"] * cell["qps"] * cell["messages"] for cell in moved))

    def test_what_the_program_saw(self):
        self.of_result(["1 bytes differ"], "mismatches", 1, mismatches=1)
        self.of_result(["0 bytes verified, not {payload}"], "bytes", 0)
        self.of_result(["memory key has another hint"], "applied", None)
        self.of_result(["completion: remote access error"], "status", "remote access error")
        self.of_result(["memory region"], "moved", False)
        for key, value in (("st", add(1)), ("ph", lambda ph: 3 - ph), ("st_width", lambda width: 24 - width)):
            self.of_result(["memory key has another hint"], "applied", lambda one, key=key, value=value: {**one, key: value(one[key])})

    def test_no_result(self):
        def change(result, _):
            result["id"] = None
        self.broken(hinted, ["no result"], change)

    def test_refusals(self):
        self.of_result(["refused ENOSPC, expected nothing"], "refused", {"step": "register", "errno": "ENOSPC"})
        for errno in ("EOPNOTSUPP", "EINVAL", "ENODATA", "ERANGE"):
            def chosen(cell, errno=errno):
                return (cell["expected"]["refused"] or {}).get("errno") == errno
            self.of_result([f"refused EIO, expected {errno}"], "refused", lambda one: {**one, "errno": "EIO"}, chosen)
            # Another step, with the same errno.
            self.of_result([f"refused {errno}, expected {errno}"], "refused", lambda one: {**one, "step": "other"}, chosen)
            self.of_result([f"refused nothing, expected {errno}"], "refused", None, chosen)
        self.of_result(["memory region"], "moved", True, lambda cell: (cell["expected"]["refused"] or {}).get("errno") == "EOPNOTSUPP")

    def test_counts_of_nothing(self):
        results, flows = evidence(CELLS)
        cell = next(filter(hinted, CELLS))
        results[cell["id"]]["completer"].append({"hint": None, "writes": 0, "reads": 0, "write_bytes": 0, "read_bytes": 0})
        self.assertEqual(judge.report(CELLS, results, flows, NO_RUNS, True)["failed"], 0)

    def test_requester(self):
        """What is on the wire and at the completer alike is a fault of the requester."""
        for key, value in (("st", add(1)), ("st_width", lambda width: 24 - width), ("ph", lambda ph: 3 - ph)):
            def change(result, flows, key=key, value=value):
                for one in (result["completer"][0], flows[0]):
                    one["hint"] = {**one["hint"], key: value(one["hint"][key])}
            self.broken(hinted, ["4 TLPs with another hint on the wire", "4 TLPs with another hint at the completer"], change, wrong_hint=4)

        def none(result, flows):
            result["completer"][0]["hint"] = flows[0]["hint"] = None
        self.broken(hinted, ["4 TLPs with another hint on the wire", "4 TLPs with another hint at the completer"], none, wrong_hint=4)

        def some(result, flows):
            result["completer"][0]["hint"] = flows[0]["hint"] = {"ph": 0, "st": 0, "st_width": 8}
        self.broken(lambda cell: cell["requested"]["ph"] is None and cell["target"] == "gpu" and cell["operation"] == "read",
                    ["64 TLPs with another hint on the wire", "64 TLPs with another hint at the completer"], some, wrong_hint=64)

    def test_wire(self):
        hint = {"ph": 0, "st": 0, "st_width": 8}
        self.of_flow(["1 TLPs with another hint on the wire"], 1, "hint", hint, wrong_hint=1)
        self.of_flow(["the completer counted others than were on the wire"], 0, "tlps", add(1))
        self.of_flow(["the completer counted others than were on the wire"], 0, "tlps", add(-1))
        cell = self.failing(hinted, lambda _, flows: flows[0].update(bytes=flows[0]["bytes"] + 8))
        self.assertEqual(cell["causes"], [f"{cell['bytes'] + 8} bytes on the wire, not {cell['bytes']}"])
        for target in ("qemu-nvme", "host"):
            self.of_flow(["16 TLPs with another hint on the wire"], 0, "hint", {"ph": 1, "st": 1, "st_width": 8},
                         lambda cell, target=target: cell["target"] == target and cell["requested"]["ph"] is None)
        # Somebody else's writes, another kind of request and another way are no evidence.
        for key, value in (("source", "hca9"), ("type", "read"), ("route", "memory"), ("target", "gpu0")):
            self.of_flow(["0 bytes on the wire, not {payload}"], 0, key, value,
                         lambda cell: cell["target"] == "qemu-nvme" and cell["requested"]["ph"] is None and cell["operation"] == "write")

    def test_completer(self):
        self.broken(hinted, ["4 TLPs with another hint at the completer", "the completer counted others than were on the wire"],
                    lambda result, _: result["completer"][0].update(hint={**result["completer"][0]["hint"], "ph": 3}), wrong_hint=4)
        for key in ("write_bytes", "read_bytes"):
            cell = self.failing(hinted, lambda result, _, key=key: result["completer"][0].update({key: result["completer"][0][key] + 8}))
            said = cell["bytes"] + (8 if key == "write_bytes" else 0)
            self.assertEqual(cell["causes"], [f"{said} bytes at the completer, not {cell['bytes']}"])
        self.broken(hinted, ["1 TLPs with another hint at the completer", "the completer counted others than were on the wire"],
                    lambda result, _: result["completer"].append({"hint": None, "writes": 1, "reads": 0, "write_bytes": 0, "read_bytes": 0}))

        def nothing(result, _):
            result["completer"] = []
        self.broken(hinted, ["0 bytes at the completer, not {payload}", "the completer counted others than were on the wire"], nothing)


class Perftest(unittest.TestCase):
    def cell(self, words, *changes):
        parts = run_test.made_up(**words)
        for one in changes:
            one(parts)
        return judge.perftest(run_judge.judged(*parts, "pt", "InfiniBand"))

    def test_good(self):
        cell = self.cell({"st": 42})
        self.assertEqual([cell[key] for key in ("verdict", "causes", "bytes", "mismatches", "tlps", "wrong_hint", "refused", "messages")],
                         ["pass", [], 64, 0, 320, 0, None, 5])
        self.assertEqual(cell["applied"], {"st": 42, "st_width": 8, "ph": 2})
        self.assertEqual(cell["completer"], [{"hint": {"ph": 2, "st": 42, "st_width": 8}, "writes": 320}])
        cell = self.cell({"target": "qemu-nvme", "st": 42})
        self.assertEqual([cell[key] for key in ("verdict", "refused", "applied", "completer", "bytes", "mismatches")],
                         ["pass", {"step": "attach", "errno": "EOPNOTSUPP"}, None, None, 0, 0])

    def test_bad(self):
        cell = self.cell({"st": 42}, run_test.change(run_test.SEEN, "outcome", "verified", False))
        self.assertEqual([cell[key] for key in ("verdict", "bytes", "mismatches", "causes")], ["fail", 0, 1, ["ok , expected hint"]])
        cell = self.cell({"st": 42}, run_test.change(run_test.TLP, "wrong_hint", 2), run_test.change(run_test.TLP, "hint_elsewhere", 3))
        self.assertEqual((cell["verdict"], cell["wrong_hint"]), ("fail", 5))

    def test_together(self):
        runs = {**NO_RUNS, "runs": [run_judge.judged(*run_test.made_up(st=42), "pt", "InfiniBand")]}
        results, flows = evidence(CELLS)
        document = judge.report(CELLS, results, flows, runs, False)
        self.assertEqual((document["passed"], document["quick"], document["cells"][0]["program"]), (len(CELLS) + 1, False, "ib_write_bw"))
        # The histogram is of the program's cells alone.
        self.assertEqual(document["histogram"], judge.report(CELLS, results, flows, NO_RUNS, False)["histogram"])


class Table(unittest.TestCase):
    def test_lines(self):
        results, flows = evidence(CELLS)
        cell = next(filter(hinted, CELLS))
        results[cell["id"]]["mismatches"] = 5
        document = judge.report(CELLS, results, flows, NO_RUNS, True)
        said = table.lines(document)
        self.assertEqual(said[:2], [
            "Linux 7.3.4, QEMU 11.1.3, IOMMU pt",
            "program      target     op     mode        cells  failed  hinted refused        bytes       TLPs    differ  wrong"])
        self.assertIn("matrix       gpu        write  table/8         4       1       2       1        57376        328         5      0", said)
        self.assertTrue([line for line in said if line.startswith("FAILED matrix: gpu write table/8, ST ") and line.endswith(": 5 bytes differ")])
        self.assertEqual(said[-2], f"{len(CELLS) - 1} cells as expected, 1 not; {document['refused']} hints refused where they have to be")
        self.assertRegex(said[-1], "^[0-9]* bytes verified, 5 differ; [0-9]* TLPs, 0 with a wrong hint$")
        self.assertTrue([line for line in said if line.startswith("gpu: ") and "different hints counted" in line])

    def test_topology(self):
        results, flows = evidence(CELLS)
        document = judge.report(CELLS, results, flows, {**NO_RUNS, "topology": "roce"}, True)
        self.assertEqual(document["topology"], "roce")
        self.assertEqual(table.lines(document)[0], "Linux 7.3.4, QEMU 11.1.3, IOMMU pt, topology roce")

    def test_cases(self):
        cell = {"program": "matrix", "target": "gpu", "operation": "read", "mode": "table", "width": 8,
                "requested": {"st": 5, "st_ext": None, "ph": 0}, "size": 8, "qps": 2, "verdict": "pass", "causes": []}
        self.assertEqual(table.case(cell), "pass matrix,gpu,read,table/8,st=5,ext=null,ph=0,8x2")
        self.assertEqual(table.case({**cell, "verdict": "fail", "causes": ["a", "b"]}), "fail matrix,gpu,read,table/8,st=5,ext=null,ph=0,8x2 a; b")


if __name__ == "__main__":
    unittest.main()

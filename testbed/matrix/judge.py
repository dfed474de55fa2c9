# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox, after the boot: what was planned (job/cells), what the guest saw (job/results), what was on the wire after each mark
(flows.json), and the runs of ib_write_bw, judged as those of ./tph run (report.json).

Usage: judge RUN-DIRECTORY full|quick; the document of ./tph matrix to standard output. Exit status 1 when a cell is not as it has to be.
"""
import itertools
import json
import sys
from pathlib import Path

from testbed.sandbox import hints, jsonl

# The trace's names of the endpoints that count.
COUNTING = {"gpu": "gpu0", "nvme": "nvme0"}


def total(rows, *keys):
    return sum(row[key] for row in rows for key in keys)


def wire(cell, flows):
    """(flows of the HCA function to the target, TLPs of the others that have a hint)"""
    device = COUNTING.get(cell["target"])
    kind = "read" if cell["operation"] == "read" else "write"
    route = "message" if cell["target"] == "qemu-nvme" else "memory"

    def near(flow):
        return flow["source"] == f"hca{cell['hca']}" and flow["type"] == kind and flow["target"] == device \
            and (device is not None or flow["route"] == route)

    return [flow for flow in flows if near(flow)], total((flow for flow in flows if flow["hint"] and not near(flow)), "tlps")


def by_hint(rows, tlps):
    """The hints and numbers of ROWS, to be compared; TLPS is the key of the number."""
    return sorted(((hints.order(row["hint"]), row[tlps]) for row in rows if row[tlps] > 0))


def causes(cell, seen, near, on_wire, at_completer):
    """What of a cell that has a result is not as it has to be."""
    expected, counted = cell["expected"], seen["completer"]
    payload = cell["size"] * cell["qps"] * cell["messages"] if expected["moved"] else 0
    way = "read" if cell["operation"] == "read" else "write"
    result = []
    if seen["refused"] != expected["refused"]:
        said, wanted = ((one or {}).get("errno", "nothing") for one in (seen["refused"], expected["refused"]))
        result.append(f"refused {said}, expected {wanted}")
    if hints.order(seen["applied"]) != hints.order(expected["applied"]):
        result.append("memory key has another hint")
    if seen["moved"] != expected["moved"]:
        result.append("memory region")
    if seen["status"] != "success":
        result.append(f"completion: {seen['status']}")
    if seen["bytes"] != payload:
        result.append(f"{seen['bytes']} bytes verified, not {payload}")
    if seen["mismatches"] > 0:
        result.append(f"{seen['mismatches']} bytes differ")
    if on_wire > 0:
        result.append(f"{on_wire} TLPs with another hint on the wire")
    if at_completer > 0:
        result.append(f"{at_completer} TLPs with another hint at the completer")
    if cell["target"] != "host" and total(near, "bytes") != payload:
        result.append(f"{total(near, 'bytes')} bytes on the wire, not {payload}")
    if counted is not None:
        if {total(counted, "read_bytes", "write_bytes"), total(counted, f"{way}_bytes")} != {payload}:
            result.append(f"{total(counted, f'{way}_bytes')} bytes at the completer, not {payload}")
        if by_hint(counted, f"{way}s") != by_hint(near, "tlps"):
            result.append("the completer counted others than were on the wire")
    return result


def judged(cell, seen, flows):
    """A cell of the document; SEEN: None when the guest left no result."""
    near, elsewhere = wire(cell, flows)
    hint = hints.order(cell["expected"]["applied"])
    counted = seen["completer"] if seen else None
    on_wire = total((flow for flow in near if hints.order(flow["hint"]) != hint), "tlps") + elsewhere
    at_completer = total((one for one in counted or [] if hints.order(one["hint"]) != hint), "writes", "reads")
    wrong = causes(cell, seen, near, on_wire, at_completer) if seen else ["no result"]
    seen = seen or {"refused": None, "applied": None, "bytes": 0, "mismatches": 0}
    return {"program": "matrix", **{key: cell[key] for key in ("target", "operation", "mode", "width", "requested")},
            "refused": seen["refused"], "applied": seen["applied"], **{key: cell[key] for key in ("size", "qps", "messages")},
            "bytes": seen["bytes"], "mismatches": seen["mismatches"], "wrong_hint": max(on_wire, at_completer), "tlps": total(near, "tlps"),
            "completer": counted, "verdict": "fail" if wrong else "pass", "causes": wrong}


def perftest(run):
    """A run of ib_write_bw as a cell: the last message is compared; perftest does not say how many bytes differ."""
    mkey, counted = run["mkey"] or {}, None
    if run["target"] != "qemu-nvme":
        counted = [{"hint": {key: one[key] for key in ("ph", "st", "st_width")}, "writes": one["count"]} for one in run["completer"]["by_hint"]]
    return {"program": "ib_write_bw", "target": run["target"], "operation": "write", "mode": run["st_mode"], "width": run["width"],
            "requested": run["requested"], "refused": {"step": "attach", "errno": run["errno"]} if run["result"] == "refused" else None,
            "applied": {key: mkey[key] for key in ("st", "st_width", "ph")} if mkey.get("tph") else None,
            "size": run["perftest"]["size"], "qps": 1, "messages": run["perftest"]["iters"],
            "bytes": run["perftest"]["size"] if run["data_verified"] else 0, "mismatches": 1 if run["data_verified"] is False else 0,
            "wrong_hint": run["tlp"]["wrong_hint"] + run["tlp"]["hint_elsewhere"], "tlps": run["tlp"]["bar_writes"], "completer": counted,
            "verdict": "pass" if run["as_expected"] else "fail",
            "causes": [] if run["as_expected"] else [f"{run['result']} {run['errno'] or ''}, expected {run['expected']}"]}


def histogram(cells):
    """What the completers counted of the program's cells, over all of them."""
    result = []
    for target in sorted({cell["target"] for cell in cells}):
        its = [cell["completer"] for cell in cells
               if cell["target"] == target and cell["program"] == "matrix" and cell["completer"] is not None]
        if its:
            counts = sorted((one for counted in its for one in counted), key=lambda one: hint_key(one["hint"]))
            groups = ((one, list(rows)) for one, rows in itertools.groupby(counts, lambda one: one["hint"]))
            result.append({"target": target, "hints": [
                {"hint": hint, "writes": total(rows, "writes"), "reads": total(rows, "reads"), "bytes": total(rows, "write_bytes", "read_bytes")}
                for hint, rows in groups]})
    return result


def hint_key(hint):
    """The order of a histogram: by PH first."""
    return (hint["ph"], hint["st"], hint["st_width"]) if hint else (-1,)


def report(cells, results, flows, runs, quick):
    """The document. CELLS: the plan; RUNS: the document of ib_write_bw's."""
    seen = {one["id"]: one for one in results}
    by_mark = {one["mark"]: one["flows"] for one in flows}
    rows = [perftest(run) for run in runs["runs"]] + [judged(cell, seen.get(cell["id"]), by_mark.get(f"cell-{cell['id']}", [])) for cell in cells]
    return {**{key: runs[key] for key in ("kernel", "qemu", "iommu", "topology")}, "quick": quick,
            "passed": sum(row["verdict"] == "pass" for row in rows), "failed": sum(row["verdict"] == "fail" for row in rows),
            "refused": sum(row["refused"] is not None for row in rows),
            **{key: total(rows, key) for key in ("bytes", "mismatches", "wrong_hint", "tlps")},
            "histogram": histogram(rows), "cells": rows}


def main():
    run, quick = Path(sys.argv[1]), sys.argv[2] == "quick"
    document = report(jsonl.read(run / "job/cells"), jsonl.read(run / "job/results"), jsonl.read(run / "flows.json"),
                      json.loads((run / "report.json").read_text()), quick)
    print(json.dumps(document, indent=2))
    return 0 if document["failed"] == 0 and document["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())

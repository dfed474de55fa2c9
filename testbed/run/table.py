# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph run as a table.

Usage: table FILE
"""
import json
import sys
from pathlib import Path

from testbed.sandbox import hints, topologies
from testbed.sandbox.table import nearest, table

HEAD = ["target", "mode", "requested", "memory key", "result", "BAR TLPs", "hinted", "wrong", "MB/s", "", "bytes", ""]


def key(run):
    """What the memory key has."""
    if run["result"] != "ok":
        return "-"
    mkey = run["mkey"]
    if not mkey or not mkey["tph"]:
        return "no hint"
    return "-" if mkey["st"] is None else f"{mkey['st']}/{mkey['st_width']}b ph {mkey['ph']}"


def cells(run):
    tlp, speed = run["tlp"], run["perftest"]["bw_avg_MBps"]
    return [run["target"], f"{run['st_mode']}/{run['width']}", hints.asked(run["requested"], "none"), key(run),
            "ok" if run["result"] == "ok" else f"{run['result']} {run['errno'] or ''}", tlp["bar_writes"], tlp["with_hint"],
            tlp["wrong_hint"] + tlp["hint_elsewhere"], None if speed is None else nearest(speed), "",
            {None: "-", True: "equal", False: "DIFFER"}[run["data_verified"]],
            "" if run["as_expected"] else f"NOT AS EXPECTED ({run['expected']})"]


def lines(document):
    """DOCUMENT for people."""
    out = [f"Linux {document['kernel']}, QEMU {document['qemu']}, IOMMU {document['iommu']}{topologies.said(document)}"]
    out += table([HEAD] + [cells(run) for run in document["runs"]], right=range(5, 9), least=(10, 9, 15, 15, 18, 8, 7, 5, 6, 0, 5), gap=" ")
    memory = document["host_memory"] or []
    if memory:
        out += ["", f"host memory, ib_write_bw, messages of {memory[0]['size']} bytes:"]
        out += table([["", one["device"], f"{nearest(one['bw_avg_MBps'])} MB/s"] for one in memory], least=(1, 10), gap=" ")
    return out


def main():
    print("\n".join(lines(json.loads(Path(sys.argv[1]).read_text()))))


if __name__ == "__main__":
    main()

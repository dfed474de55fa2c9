# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph example for a terminal.

Usage: table FILE
"""
import json
import sys
from pathlib import Path

from testbed.sandbox.table import table

HEAD = ["", "tag", "width", "PH", "writes", "bytes", "reads", "bytes"]


def said(program):
    return [f"$ {program['command']}"] + [f"  {line}" for line in program["said"]]


def counted(row):
    hint = row["hint"] or {"st": "none", "st_width": None, "ph": None}
    return ["", hint["st"], hint["st_width"], hint["ph"], row["writes"], row["write_bytes"], row["reads"], row["read_bytes"]]


def of_run(run):
    """One example."""
    out = ["", f"example {run['example']}, the BAR of gpu0 behind {run['device']}, which sends {run['width']}-bit tags:"]
    out += said(run["server"] or {"command": "(no result)", "said": []})
    if run["clients"]:
        out += said(run["clients"][0])
        out += [f"  ... and {len(run['clients']) - 1} more clients"] * (len(run["clients"]) > 1)
    out += ["  what the completer counted:"]
    out += table([HEAD] + [counted(row) for row in run["completer"]], right=range(1, 8), least=(3, 6, 6, 3, 7, 8, 7, 8), gap=" ")
    out += [f"  {'the same as' if run['agree'] else 'NOT what'} {run['device']} sent; TLPs elsewhere with a hint: {run['hinted_elsewhere']}"]
    return out + [f"  FAILED: {cause}" for cause in run["causes"]]


def lines(document):
    """DOCUMENT for people."""
    return [f"Linux {document['kernel']}, QEMU {document['qemu']}, IOMMU {document['iommu']}"] \
        + [line for run in document["runs"] for line in of_run(run)] \
        + ["", f"{document['passed']} examples as expected, {document['failed']} not"]


def main():
    print("\n".join(lines(json.loads(Path(sys.argv[1]).read_text()))))


if __name__ == "__main__":
    main()

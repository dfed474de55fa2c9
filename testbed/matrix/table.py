# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph matrix as a table; failed cells by name.

Usage: table FILE
       table --cases FILE    each cell as a case of a test
"""
import itertools
import json
import sys
from pathlib import Path

from testbed.matrix.document import name
from testbed.sandbox import topologies
from testbed.sandbox.table import table

HEAD = ["program", "target", "op", "mode", "cells", "failed", "hinted", "refused", "bytes", "TLPs", "differ", "wrong"]


def group(cell):
    return cell["program"], cell["target"], cell["operation"], cell["mode"], cell["width"]


def cells(key, rows):
    program, target, operation, mode, width = key
    return [program, target, operation, f"{mode}/{width}", len(rows), sum(row["verdict"] == "fail" for row in rows),
            sum(row["applied"] is not None for row in rows), sum(row["refused"] is not None for row in rows),
            *(sum(row[what] for row in rows) for what in ("bytes", "tlps", "mismatches", "wrong_hint"))]


def lines(document):
    """DOCUMENT for people."""
    out = [f"Linux {document['kernel']}, QEMU {document['qemu']}, IOMMU {document['iommu']}{topologies.said(document)}"]
    groups = itertools.groupby(sorted(document["cells"], key=group), group)
    out += table([HEAD] + [cells(key, list(rows)) for key, rows in groups], right=range(4, 12),
                 least=(12, 10, 6, 11, 5, 7, 7, 7, 12, 10, 9, 6), gap=" ")
    for one in document["histogram"]:
        counted = [row for row in one["hints"] if row["hint"]]
        out.append(f"{one['target']}: {len(counted)} different hints counted, {sum(row['writes'] for row in counted)} writes and "
                   f"{sum(row['reads'] for row in counted)} reads")
    out += [f"FAILED {name(cell)}: {'; '.join(cell['causes'])}" for cell in document["cells"] if cell["verdict"] == "fail"]
    return out + [f"{document['passed']} cells as expected, {document['failed']} not; {document['refused']} hints refused where they have to be",
                  f"{document['bytes']} bytes verified, {document['mismatches']} differ; {document['tlps']} TLPs, "
                  f"{document['wrong_hint']} with a wrong hint"]


def case(cell):
    """A line of cases, as tests/README.md has them."""
    requested = [f"{key}={json.dumps(cell['requested'][member])}" for key, member in (("st", "st"), ("ext", "st_ext"), ("ph", "ph"))]
    words = [cell["program"], cell["target"], cell["operation"], f"{cell['mode']}/{cell['width']}", *requested, f"{cell['size']}x{cell['qps']}"]
    return " ".join([cell["verdict"], ",".join(words)] + ["; ".join(cell["causes"])] * bool(cell["causes"]))


def main():
    *cases, path = sys.argv[1:]
    document = json.loads(Path(path).read_text())
    print("\n".join(map(case, document["cells"]) if cases else lines(document)))


if __name__ == "__main__":
    main()

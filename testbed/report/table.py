# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph report for a terminal.

Usage: table FILE
"""
import json
import sys
from pathlib import Path

from testbed.sandbox.table import nearest, table, text

AGAIN = {"clock": "perftest found no rate of the clock", "failed": "soft-RoCE or soft-iWARP failed"}


def figure(value):
    """Three digits or so, without zeros at the end."""
    if value is None or value >= 100:
        return value if value is None else nearest(value)
    return nearest(value * 10) / 10 if value >= 10 else nearest(value * 100) / 100


def size(value):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if value >= unit:
            return f"{text(value / unit)} {name}"
    return f"{value} B"


def hint(tag):
    return "none" if tag["st"] is None else f"{tag['st']}/{tag['st_width']}b ph {tag['ph']}"


def metric(document, name):
    """Bandwidth or latency: a line for each series, and the ratios."""
    its = document[name]
    sizes = sorted({point["size"] for point in its["points"]})
    medians = {(point["series"], point["size"]): point["median"] for point in its["points"]}
    ratios = {one["size"]: one["median"] for one in its["hint_ratio"]}
    rows = [[one["name"], *(figure(medians.get((one["id"], at))) for at in sizes)] for one in document["series"]]
    return ["", f"{its['title']}, {its['unit']}: median of {document['repeats']} ({its['program']}; CPU copy: memcpy)"] \
        + table([["", *map(size, sizes)], *rows, ["with the hint / without", *(figure(ratios.get(at)) for at in sizes)]],
                right=range(1, len(sizes) + 1), least=(36, *[9] * len(sizes)), gap=" ")


def steps(chain):
    """One write, layer by layer: what has the hint in it."""
    out = ["", f"one write, {chain['width']}-bit tag ({chain['requested']}):"]
    for step in chain["steps"]:
        out += table([["", step["layer"], step["title"]]], least=(1, 11), gap=" ")
        for row in step["rows"]:
            fields = "; ".join(f"{name} = {text(value)}" for name, value, shown in row["fields"] if shown)
            if fields:
                place = [] if row["hex"] == "" else [row["at"], row["hex"], ""]
                out += table([["", *place, fields]], least=(13, 7, 22, 0) if place else (13,), gap=" ")
    return out


def lines(document):
    """DOCUMENT for people."""
    out = [f"Linux {document['kernel']}, QEMU {document['qemu']}, emulated HCA: figures are for comparison within this run only"]
    out += [f"not in this kernel: {one['name']}" for one in document["missing"]]
    out += [f"runs repeated since {why}: {document['again'][cause]}" for cause, why in AGAIN.items() if document["again"][cause] > 0]
    out += metric(document, "bandwidth") + metric(document, "latency")
    out += ["", "tags at the completer:"] + table(
        [["  tag", "messages", "TLPs sent", "TLPs counted"]]
        + [[f"  {hint(tag)}", tag["messages"], tag["wire"], tag["completer"]] for tag in document["tags"]],
        right=(1, 2, 3), least=(20, 13, 13, 13), gap=" ")
    asked = document["hints"]
    out += ["", f"requests into the BAR while measuring: {asked['bar-tph']['requests']} with the hint asked for, "
                f"{asked['bar']['requests']} without any"]
    out += [line for chain in document["chains"] for line in steps(chain)]
    return out + [f"to compare with, but not there: {gap}" for gap in document["gaps"]] \
        + [f"NOT AS IT HAS TO BE: {wrong}" for wrong in document["wrong"]]


def main():
    print("\n".join(lines(json.loads(Path(sys.argv[1]).read_text()))))


if __name__ == "__main__":
    main()

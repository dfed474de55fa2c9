# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph cost as tables.

Usage: table FILE
"""
import json
import sys
from pathlib import Path

from testbed.sandbox.table import nearest, table, text


def us(nanoseconds):
    return nearest(nanoseconds / 10) / 100


def tenths(value):
    return nearest(value * 10) / 10


def spread(one, value=lambda figure: figure):
    """Cells of the median and the quartiles of a spread, as VALUE has them."""
    return [value(one["median"]), "", f"{text(value(one['q1']))}..{text(value(one['q3']))}"] if one else [None, "", ""]


def registration(rows):
    return table([["registration, us", "kernel", "register", "", "quartiles", "deregister", "", "quartiles"]]
                 + [[f"  {row['kind']}", row["kernel"], *spread(row["register"], us), *spread(row["deregister"], us)] for row in rows],
                 right=(2, 5), least=(23, 8, 9, 0, 19, 10), gap=" ")


def many(rows):
    return table([["regions side by side, us each", "register", "", "quartiles", "deregister", "hinted", "fallback"]]
                 + [[f"  {row['device']:7} {row['count']:6}, tags: {row['tags']}", *spread(row["register"], us), us(row["deregister"]["median"]),
                     row["hinted"], row["fallback"]] for row in rows], right=(1, 4, 5, 6), least=(34, 9, 0, 19, 11, 7, 9), gap=" ")


def traffic(rows):
    return table([["ib_write_bw into the BAR", "MB/s", "", "quartiles", "", "messages/s", "", "quartiles"]]
                 + [[f"  {row['size']:6} bytes, {'no hint' if row['hint'] == 'none' else 'ST, PH 2'}", *spread(row["MBps"], tenths), "",
                     *spread(row["messages_per_s"], nearest)] for row in rows], right=(1, 5), least=(32, 9, 0, 19, 0, 10), gap=" ")


def ratios(rows):
    return table([["ratios, run by run", "median", "", "quartiles"]] + [[f"  {name}", *spread(one)] for name, one in rows.items()],
                 right=(1,), least=(57, 9), gap=" ")


def lines(document):
    """DOCUMENT for people."""
    return [f"Linux {document['kernel']}, {document['runs']} runs: medians, and quartiles. The times are an emulation's: compare within a table.",
            "", *registration(document["registration"]), "", *many(document["many"]), "", *traffic(document["traffic"]),
            "", *ratios(document["ratios"])]


def main():
    print("\n".join(lines(json.loads(Path(sys.argv[1]).read_text()))))


if __name__ == "__main__":
    main()

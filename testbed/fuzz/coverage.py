# SPDX-License-Identifier: GPL-2.0-only
"""In the root of fuzzers: lines of rooms that the corpus reaches.

Usage: coverage DIRECTORY ROOM..., with the directory's file lcov. Leaves there rooms, a line 'ROOM LINES REACHED TENTHS-OF-A-PERCENT'
each and one for all; table, the same for people; and missed, the lines that were not reached.
"""
import sys
from pathlib import Path

from testbed.sandbox.table import table


def counted(lcov, rooms):
    """({room: [lines, reached]}, 'file:line' of those not reached) of the C files of ROOMS."""
    counts, missed, file, room = {}, [], "", None
    for line in lcov:
        key, _, value = line.partition(":")
        if key == "SF":
            file = value.rpartition("/src/")[2]
            room, *rest = file.split("/")
            if room not in rooms or len(rest) != 1 or not file.endswith(".c"):
                room = None
        elif key == "DA" and room:
            number, count = value.split(",")[:2]
            for one in (room, "all"):
                sums = counts.setdefault(one, [0, 0])
                sums[0] += 1
                sums[1] += int(count) > 0
            if int(count) == 0:
                missed.append(f"{file}:{number}")
    return counts, missed


def rows(counts):
    return [(room, lines, reached, reached * 1000 // lines) for room, (lines, reached) in sorted(counts.items())]


def lines(found):
    """ROWS for people."""
    return table([["room", "lines", "reached", "percent"]]
                 + [[room, count, reached, f"{tenths / 10:.1f}"] for room, count, reached, tenths in found],
                 right=(1, 2, 3), least=(10, 8, 8, 8), gap=" ")


def main():
    directory, *rooms = sys.argv[1:]
    out = Path(directory)
    with (out / "lcov").open(errors="replace") as lcov:
        counts, missed = counted(map(str.rstrip, lcov), rooms)
    found = rows(counts)
    for name, text in (("rooms", [" ".join(map(str, row)) for row in found]), ("table", lines(found)), ("missed", missed)):
        (out / name).write_text("".join(line + "\n" for line in text))


if __name__ == "__main__":
    main()

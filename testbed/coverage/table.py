# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: coverage.json for people.

Usage: table FILE
"""
import json
import sys
from pathlib import Path

from testbed.sandbox.table import table, text


def cells(name, one):
    return [name, f"{one['lines_run']}/{one['lines']}", f"{text(one['lines_percent'])}%", f"{one['branches_taken']}/{one['branches']}",
            f"{text(one['branches_percent'])}%"]


def place(row):
    return f"{row['file']}:{row['line']}: {row['function']}(): {row['text']}"


def lines(document):
    """DOCUMENT for people."""
    out = table([cells(one["file"], one) for one in document["files"]] + [cells("all", document["total"])], right=range(1, 5),
                least=(58, 8, 7, 9, 7), gap=" ")
    out += [f"not run: {place(row)}" for row in document["not_run"]]
    out += [f"a branch not taken: {place(row)}" for row in document["not_taken"]]
    out += [f"unreachable: {place(row)} ({row['reason']})" for row in document["unreachable"]]
    out += [f"a branch never taken: {place(row)} ({row['reason']})" for row in document["never_taken"]]
    return out + [f"wrong in kernel/coverage-exceptions: {one['file']}: {one['function']}(): {one['text']}"
                  for one in document["wrong_exceptions"]]


def main():
    print("\n".join(lines(json.loads(Path(sys.argv[1]).read_text()))))


if __name__ == "__main__":
    main()

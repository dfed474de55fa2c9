# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: lists the kept runs.

Usage: runs DIRECTORY JSON-FILE; the table goes to standard output.
"""
import json
import sys
from pathlib import Path

from testbed.sandbox import documents
from testbed.sandbox.table import table


def row(path):
    """What is said of one kept run; one that cannot be read says why."""
    try:
        document = json.loads(path.read_text())
        result = documents.kind(document).headline(document)
    except (ValueError, KeyError, TypeError, documents.Error) as error:
        document, result = {}, f"unreadable: {error}"
    return {"run": path.stem, **{key: document.get(key) for key in ("date", "tph", "commit", "kernel", "qemu")},
            "trace": path.with_suffix(".trace").exists(), "result": result}


def rows(directory):
    """All kept runs, the latest last."""
    return [row(path) for path in sorted(Path(directory).glob("*.json"), key=lambda path: (path.stat().st_mtime, path.stem))]


def lines(found):
    return table([["run", "date", "tph", "commit", "kernel", "QEMU", "trace", "result"]] + [
        [one["run"], one["date"], one["tph"], one["commit"] and one["commit"][:12], one["kernel"], one["qemu"],
         "yes" if one["trace"] else "no", one["result"]] for one in found])


def main():
    directory, json_file = sys.argv[1:]
    found = rows(directory)
    print("\n".join(lines(found)))
    Path(json_file).write_text(json.dumps({"runs": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph conformance for a terminal: a line per suite, its devices side by side; then failures and causes.

Usage: table FILE
"""
import json
import sys
from pathlib import Path

from testbed.sandbox.table import table


def numbers(suite):
    return [suite["passed"], suite["failed"], sum(one["count"] for one in suite["skipped"])] if suite else ["", "", ""]


def lines(document):
    """DOCUMENT for people."""
    suites = {(one["name"], one["device"]): one for one in document["suites"]}
    names, devices = (list(dict.fromkeys(one[key] for one in document["suites"])) for key in ("name", "device"))
    rows = [["", *(cell for device in devices for cell in ("", "", device))]]
    rows += [[name, *(cell for device in devices for cell in numbers(suites.get((name, device))))] for name in names]
    out = [f"Linux {document['kernel']}; passed, failed, skipped:"]
    out += table(rows, right=range(1, len(rows[0])), least=(18, *(9, 6, 6) * len(devices)), gap=" ")
    for one in document["suites"]:
        out += [f"failed: {one['name']} on {one['device']}: {failure['case']}: {failure['cause']}" for failure in one["failures"]]
    for one in document["suites"]:
        out += [f"skipped: {one['name']} on {one['device']}: {skip['count']} x {skip['cause']}" for skip in one["skipped"]]
    return out


def main():
    print("\n".join(lines(json.loads(Path(sys.argv[1]).read_text()))))


if __name__ == "__main__":
    main()

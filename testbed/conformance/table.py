# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph conformance for a terminal: a line per suite, device and link layer; what several link layers make
together; then failures and causes.

Usage: table FILE
"""
import json
import sys
from pathlib import Path

from testbed.conformance.document import place
from testbed.sandbox.table import table


def lines(document):
    """DOCUMENT for people."""
    names = dict.fromkeys(one["name"] for one in document["suites"])
    rows = [[one["name"], one["device"], one.get("link_layer"), one["passed"], one["failed"], sum(skip["count"] for skip in one["skipped"])]
            for name in names for one in document["suites"] if one["name"] == name]
    out = [f"Linux {document['kernel']}"]
    out += table([["suite", "device", "port", "passed", "failed", "skipped"], *rows], right=range(3, 6), least=(16, 6, 10))
    for one in document.get("together", ()):
        skipped = one.get("skipped", ())
        out.append(f"{one['name']}, {' and '.join(one['link_layers'])} together: {one['passed']} passed, {one['failed']} failed, "
                   f"{sum(len(skip['cases']) for skip in skipped)} skipped on each")
        out += [f"skipped on each: {one['name']}: {len(skip['cases'])} x {skip['cause']}" for skip in skipped]
    for one in document["suites"]:
        out += [f"failed: {place(one)}: {failure['case']}: {failure['cause']}" for failure in one["failures"]]
    for one in document["suites"]:
        out += [f"skipped: {place(one)}: {skip['count']} x {skip['cause']}" for skip in one["skipped"]]
    return out


def main():
    print("\n".join(lines(json.loads(Path(sys.argv[1]).read_text()))))


if __name__ == "__main__":
    main()

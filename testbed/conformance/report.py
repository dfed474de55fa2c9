# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph conformance, of lines of verdicts: suite, device, verdict, case, cause, with tabs between them.

Usage: report VERDICTS KERNEL QEMU, to standard output. Exit status 1 when a case failed on the emulated HCA: what soft-RoCE fails is
for comparison.
"""
import collections
import json
import sys
from pathlib import Path

# There to compare.
FOREIGN = "rxe0"


def of_suite(name, device, rows):
    """One suite on one device; ROWS are (verdict, case, cause)."""
    skipped = collections.Counter(cause for verdict, _, cause in rows if verdict == "skip")
    cases = {verdict: [(case, cause) for its, case, cause in rows if its == verdict] for verdict in ("pass", "fail")}
    return {"name": name, "device": device, "passed": len(cases["pass"]), "failed": len(cases["fail"]),
            "skipped": [{"cause": cause, "count": count} for cause, count in sorted(skipped.items(), key=lambda one: (-one[1], one[0]))],
            "failures": [{"case": case, "cause": cause} for case, cause in cases["fail"]], "passes": [case for case, _ in cases["pass"]]}


def report(lines, head):
    """The document, suites and devices in the order in which they first appear; HEAD: its first members."""
    suites = {}
    for line in lines:
        suite, device, *row = line.split("\t")
        suites.setdefault((suite, device), []).append(tuple(row))
    return {**head, "suites": [of_suite(*key, rows) for key, rows in suites.items()]}


def good(document):
    """Whether there are verdicts, and none on the emulated HCA is a failure."""
    return bool(document["suites"]) and sum(suite["failed"] for suite in document["suites"] if suite["device"] != FOREIGN) == 0


def main():
    verdicts, kernel, qemu = sys.argv[1:]
    document = report(Path(verdicts).read_text(errors="replace").splitlines(), {"kernel": kernel, "qemu": qemu})
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return 0 if good(document) else 1


if __name__ == "__main__":
    sys.exit(main())

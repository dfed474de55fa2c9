# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph test, of lines of results: suite or suite@kernel, verdict, test, reason, with tabs between them.
A line whose verdict is seconds has how long the suite was instead of a test.

Usage: report PLAIN [VARIANT=RELEASE]... <RESULTS, to standard output. PLAIN is the variant of the kernel that suites without @ ran on.
"""
import json
import sys


def counts(rows):
    return {name: sum(result == verdict for result, *_ in rows) for name, verdict in (("passed", "pass"), ("failed", "fail"), ("skipped", "skip"))}


def of_suite(label, rows, plain):
    """One suite on one kernel; ROWS are (verdict, test, reason)."""
    name, _, kernel = label.partition("@")
    seconds = [int(test) for verdict, test, _ in rows if verdict == "seconds"]
    rows = [row for row in rows if row[0] != "seconds"]
    return {"name": name, "kernel": kernel or plain, **counts(rows), **({"seconds": seconds[0]} if seconds else {}),
            "tests": [{"test": test, "result": result, **({"reason": reason} if reason else {})} for result, test, reason in rows]}


def report(lines, kernels, plain):
    """The document, suites in the order in which they first appear. KERNELS: pairs of a variant and its release."""
    suites = {}
    for line in lines:
        suite, result, test, reason = line.split("\t", 3)
        suites.setdefault(suite, []).append((result, test, reason))
    return {"kernels": [{"variant": variant, "release": release} for variant, release in kernels],
            **counts([row for rows in suites.values() for row in rows]), "suites": [of_suite(*one, plain) for one in suites.items()]}


def main():
    plain, *kernels = sys.argv[1:]
    lines = sys.stdin.buffer.read().decode(errors="replace").split("\n")
    print(json.dumps(report(filter(None, lines), (one.split("=", 1) for one in kernels), plain), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()

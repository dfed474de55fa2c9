# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph conformance, of lines of verdicts: suite, device, link layer, verdict, case, cause, with tabs between
them.

Usage: report VERDICTS KERNEL QEMU, to standard output. Exit status 1 when a case failed on the emulated HCA: what soft-RoCE fails is
for comparison.
"""
import collections
import json
import sys
from pathlib import Path

# There to compare.
FOREIGN = "rxe0"


def of_suite(name, device, link_layer, rows):
    """One suite on one device; ROWS are (verdict, case, cause)."""
    skipped = collections.Counter(cause for verdict, _, cause in rows if verdict == "skip")
    cases = {verdict: [(case, cause) for its, case, cause in rows if its == verdict] for verdict in ("pass", "fail")}
    return {"name": name, "device": device, "link_layer": link_layer, "passed": len(cases["pass"]), "failed": len(cases["fail"]),
            "skipped": [{"cause": cause, "count": count} for cause, count in sorted(skipped.items(), key=lambda one: (-one[1], one[0]))],
            "failures": [{"case": case, "cause": cause} for case, cause in cases["fail"]], "passes": [case for case, _ in cases["pass"]]}


def nowhere(rows):
    """Cases that ran on no link layer, by their causes; ROWS as above, of all of them."""
    ran = {case for verdict, case, _ in rows if verdict != "skip"}
    causes = {}
    for _, case, cause in rows:
        if case not in ran:
            causes.setdefault(case, {})[cause] = None
    cases = {}
    for case, why in causes.items():
        cases.setdefault("; ".join(why), []).append(case)
    return [{"cause": cause, "cases": cases[cause]} for cause in sorted(cases, key=lambda one: (-len(cases[one]), one))]


def together(suites):
    """Of each suite that ran on HCAs with ports of several link layers: what passed on one of them at least, what failed on one, and what ran
    on none. A case that is on several counts once. SUITES: rows by name, device and link layer."""
    result = []
    for name in dict.fromkeys(name for name, _, _ in suites):
        layers = list(dict.fromkeys(layer for its, device, layer in suites if its == name and device != FOREIGN))
        rows = [row for (its, device, _), some in suites.items() if its == name and device != FOREIGN for row in some]
        if len(layers) > 1:
            result.append({"name": name, "link_layers": layers, "passed": len({case for verdict, case, _ in rows if verdict == "pass"}),
                           "failed": len({case for verdict, case, _ in rows if verdict == "fail"}), "skipped": nowhere(rows)})
    return result


def report(lines, head):
    """The document; suites, devices and link layers in the order in which they first appear; HEAD: its first members."""
    suites = {}
    for line in lines:
        suite, device, link_layer, *row = line.split("\t")
        suites.setdefault((suite, device, link_layer), []).append(tuple(row))
    return {**head, "suites": [of_suite(*key, rows) for key, rows in suites.items()], "together": together(suites)}


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

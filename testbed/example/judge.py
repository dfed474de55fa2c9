# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox, after the boot: what was planned (job/plan), what the guest saw (job/results/N) and what was on the wire after each mark
(flows.json). A client writes 16 messages of 4096 bytes, and reads them back.

Usage: judge RUN-DIRECTORY QEMU IOMMU; the document of ./tph example to standard output. Exit status 1 when an example is not as it
has to be.
"""
import json
import re
import sys
from pathlib import Path

from testbed.sandbox import hints, jsonl

BYTES = 65536
TARGET = "gpu0"
TAG = re.compile(r"tag (?P<st>[0-9]+), PH (?P<ph>[0-9]+), (?P<st_width>[0-9]+)-bit")


def tags(lines):
    """The hints that lines of programs name, by their tags."""
    found = [match for match in map(TAG.search, lines) if match]
    return sorted(({key: int(match[key]) for key in ("ph", "st", "st_width")} for match in found), key=lambda hint: hint["st"])


def counted(rows):
    """What a completer counted of each hint, in their order."""
    return sorted((row for row in rows if row["writes"] + row["reads"] > 0), key=lambda row: hints.order(row["hint"]))


def as_counted(flows):
    """The same of FLOWS into the endpoint."""
    result = {}
    for flow in flows:
        row = result.setdefault(hints.order(flow["hint"]), {"hint": flow["hint"], "writes": 0, "reads": 0, "write_bytes": 0, "read_bytes": 0})
        row[f"{flow['type']}s"] += flow["tlps"]
        row[f"{flow['type']}_bytes"] += flow["bytes"]
    return [result[key] for key in sorted(result)]


def causes(plan, seen, completer):
    """What of an example that has a result is not as it has to be, of what was said and counted."""
    expected = [{"ph": 2, "st": plan["tag"] + i, "st_width": plan["width"]} for i in range(plan["clients"])]
    server, said = seen["server"]["said"], [line for client in seen["clients"] for line in client["said"]]
    result = []
    if seen["server"]["status"] != 0:
        result.append(f"the server ended with status {seen['server']['status']}")
    result += [f"a client ended with status {client['status']}" for client in seen["clients"] if client["status"] != 0]
    if tags(server) != expected:
        result.append("memory keys have other hints")
    if tags(said) != expected:
        result.append("clients were offered other hints")
    if sum(f"verified: {BYTES} bytes" in line for line in server) != plan["clients"]:
        result.append("not all was verified")
    if sum(f"read back {BYTES} bytes: equal" in line for line in said) != plan["clients"]:
        result.append("not all was read back")
    if [row["hint"] for row in completer] != expected:
        result.append("other hints at the completer")
    if any(row["write_bytes"] != BYTES or row["read_bytes"] != BYTES for row in completer):
        result.append("other bytes at the completer")
    return result


def judged(plan, seen, flows):
    """An example of the document; SEEN: None when the guest left no result."""
    near = [flow for flow in flows if flow["source"] == plan["hca"] and flow["target"] == TARGET]
    elsewhere = sum(flow["tlps"] for flow in flows if flow["hint"] and flow not in near)
    wire, completer = as_counted(near), counted(seen["completer"] if seen else [])
    wrong = ["no result"]
    if seen:
        wrong = causes(plan, seen, completer)
        if wire != completer:
            wrong.append("the completer counted others than were on the wire")
        if elsewhere > 0:
            wrong.append(f"{elsewhere} TLPs elsewhere have a hint")
    return {**{key: plan[key] for key in ("number", "example", "hca", "device", "width", "tag")},
            "clients": seen["clients"] if seen else None, "server": seen["server"] if seen else None, "completer": completer, "wire": wire,
            "hinted_elsewhere": elsewhere, "agree": wire == completer, "verdict": "fail" if wrong else "pass", "causes": wrong}


def program(directory, name):
    """A program of an example, as the document has it."""
    return {"command": (directory / f"{name}.command").read_text().rstrip("\n"), "status": int((directory / f"{name}.status").read_text()),
            "said": (directory / name).read_text(errors="replace").removesuffix("\n").split("\n")}


def counts(answer):
    """What the emulator answered to counts, with a hint, or None, each."""
    return [{"hint": None if row["ph"] is None else {key: row[key] for key in ("ph", "st", "st_width")},
             **{key: row[key] for key in ("writes", "reads", "write_bytes", "read_bytes")}} for row in answer["counts"]]


def results(job):
    """What the guest left of each example, in the order of their numbers."""
    result = []
    for directory in sorted((job / "results").glob("*"), key=lambda one: int(one.name)):
        clients = len(list(directory.glob("client-*.command")))
        result.append({"number": int(directory.name), "server": program(directory, "server"),
                       "clients": [program(directory, f"client-{i}") for i in range(1, clients + 1)],
                       "completer": counts(json.loads((directory / "counts").read_text()))})
    return result


def report(plan, seen, flows, head):
    """The document; HEAD: its first members."""
    seen = {one["number"]: one for one in seen}
    by_mark = {one["mark"]: one["flows"] for one in flows}
    runs = [judged(row, seen.get(row["number"]), by_mark.get(f"example-{row['number']}", [])) for row in plan]
    return {**head, "passed": sum(run["verdict"] == "pass" for run in runs), "failed": sum(run["verdict"] == "fail" for run in runs),
            "runs": runs}


def main():
    run, qemu, iommu = Path(sys.argv[1]), *sys.argv[2:]
    document = report(jsonl.read(run / "job/plan"), results(run / "job"), jsonl.read(run / "flows.json"),
                      {"kernel": (run / "job/kernel").read_text().strip(), "qemu": qemu, "iommu": iommu})
    print(json.dumps(document, indent=2))
    return 0 if document["failed"] == 0 and document["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph cost, of what testbed/cost/guest.sh left in the boots.

Usage: report DIRECTORY KERNEL QEMU RUNS, to standard output. Times are nanoseconds. The directory has, JSON:
boot-NUMBER-patched and boot-NUMBER-stock   registrations, a line each: kind, register, deregister
many/DEVICE                                 regions side by side, a line each: tags, count, hinted, fallback, register, deregister
perftest/RUN-HINT-SIZE.json                 documents of perftest
"""
import json
import sys
from pathlib import Path

from testbed.sandbox import jsonl, perftest
from testbed.sandbox.spread import quantile, spread
from testbed.sandbox.table import nearest

# name: (kind, kind that it is compared with, what)
WITHIN = {
    "registration: tag in use / no hint": ("BAR, tag in use", "BAR, no hint", "register"),
    "registration: tag came back / no hint": ("BAR, tag came back", "BAR, no hint", "register"),
    "registration: tag came back / tag in use": ("BAR, tag came back", "BAR, tag in use", "register"),
    "registration: new tag / no hint": ("BAR, new tag", "BAR, no hint", "register"),
    "registration: new tag, require / no hint": ("BAR, new tag, require", "BAR, no hint", "register"),
    "deregistration: tag in use / no hint": ("BAR, tag in use", "BAR, no hint", "deregister"),
    "deregistration: last of a tag / no hint": ("BAR, new tag", "BAR, no hint", "deregister")}
# name: kind, of the patched kernel by the stock one
BETWEEN = {"registration of a BAR: patched / stock kernel": "BAR, no hint",
           "registration of host memory: patched / stock kernel": "host memory"}
# name: (message size, what), with the hint by without
TRAFFIC = {"bandwidth, 65536 bytes: ST / no hint": (65536, "MBps"), "message rate, 8 bytes: ST / no hint": (8, "messages_per_s")}


def grouped(rows, *keys):
    """[(values of KEYS, rows that have them)], in their order."""
    result = {}
    for row in rows:
        result.setdefault(tuple(row[key] for key in keys), []).append(row)
    return sorted(result.items(), key=lambda one: one[0])


def plain(value):
    """A whole number without a point."""
    return int(value) if float(value).is_integer() else value


def spreads(rows, *keys):
    return {key: {name: plain(value) for name, value in spread([row[key] for row in rows]).items()} for key in keys}


def ratio(a, b):
    """Of runs that took turns, one by one: what slows the machine down for a while is in both. None without any."""
    pairs = [one / other for one, other in zip(a, b) if other > 0]
    if not pairs:
        return None
    return {key: plain(nearest(value * 1000) / 1000) for key, value in spread(pairs).items()}


def ratios(pairs, runs):
    def times(kernel, kind, what):
        return [row[what] for row in pairs if (row["kernel"], row["kind"]) == (kernel, kind)]

    def traffic(size, hint, what):
        return [row[what] for row in runs if (row["size"], row["hint"]) == (size, hint)]

    result = {name: ratio(times("patched", kind, what), times("patched", base, what)) for name, (kind, base, what) in WITHIN.items()}
    # Runs of boots that took turns.
    result.update({name: ratio(times("patched", kind, "register"), times("stock", kind, "register")) for name, kind in BETWEEN.items()})
    result.update({name: ratio(traffic(size, "ST", what), traffic(size, "none", what)) for name, (size, what) in TRAFFIC.items()})
    return result


def registration(pairs):
    return [{"kernel": kernel, "kind": kind, "boots": len({row["boot"] for row in rows}), **spreads(rows, "register", "deregister"),
             "boot_medians": [plain(quantile([row["register"] for row in its], 0.5)) for _, its in grouped(rows, "boot")]}
            for (kernel, kind), rows in grouped(pairs, "kernel", "kind")]


def report(pairs, many, runs, head):
    """The document; PAIRS have boot and kernel, too. HEAD: its first members."""
    return {**head, "registration": registration(pairs),
            "many": [{**rows[0], **spreads(rows, "register", "deregister")} for _, rows in grouped(many, "device", "count", "tags")],
            "traffic": [{"size": size, "hint": hint, **spreads(rows, "MBps", "messages_per_s")}
                        for (size, hint), rows in grouped(runs, "size", "hint")],
            "ratios": ratios(pairs, runs)}


def registrations(directory):
    """Of all boots, in their order."""
    result = []
    for path in sorted(directory.glob("boot-*")):
        _, boot, kernel = path.name.split("-")
        result += [{**row, "boot": int(boot), "kernel": kernel} for row in jsonl.read(path)]
    return result


def side_by_side(directory):
    """Of all devices."""
    return [{"device": path.name, **row} for path in sorted((directory / "many").glob("*")) for row in jsonl.read(path)]


def traffic(directory):
    """Of all runs, in their order."""
    result = []
    for path in (directory / "perftest").glob("*.json"):
        run, hint, size = path.stem.split("-")
        results = json.loads(path.read_text())["results"]
        result.append((int(run), hint, {"hint": hint, "size": int(size), "MBps": perftest.megabytes_per_s(results),
                                        "messages_per_s": perftest.messages_per_s(results)}))
    return [row for *_, row in sorted(result, key=lambda one: (*one[:2], one[2]["size"]))]


def main():
    directory, kernel, qemu, runs = Path(sys.argv[1]), *sys.argv[2:]
    head = {"kernel": kernel, "qemu": qemu, "runs": int(runs)}
    print(json.dumps(report(registrations(directory), side_by_side(directory), traffic(directory), head), indent=2))


if __name__ == "__main__":
    main()

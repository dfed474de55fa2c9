# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the report as JSON, from what guest.sh and collect.sh left in the directory of the run.

Usage: assemble DIRECTORY REPEATS QEMU-VERSION, JSON to standard output. Exit status 1, with the causes on
standard error, when something is not as it has to be.
"""
import json
import statistics
import sys
from pathlib import Path

from testbed.report import chain, evidence

SERIES = [
    ("bar-tph", "mlx5 into the BAR, ST 42 and PH 2"), ("bar", "mlx5 into the BAR, no hint"),
    ("host", "mlx5 into host memory"), ("rxe", "soft-RoCE (rxe) into host memory"),
    ("siw", "soft-iWARP (siw) into host memory"), ("memcpy-bar", "CPU copy into the BAR"),
    ("memcpy-host", "CPU copy into host memory")]
METRICS = [
    ("bandwidth", "MB/s", "ib_write_bw", "Bandwidth over message size"),
    ("latency", "\u00b5s", "ib_send_lat", "Latency over message size")]
HINT = (2, 42, 8)
# They are there to compare: what they fail is said, and is no fault of the report.
FOREIGN = {"rxe", "siw"}


def points(samples, metric):
    """Median and spread for each series and size, in the order of SERIES."""
    result = []
    for series, _ in SERIES:
        its = [one for one in samples if one["series"] == series and one["metric"] == metric]
        for size in sorted({one["size"] for one in its}):
            values = [one["value"] for one in its if one["size"] == size]
            result.append({"series": series, "size": size, "median": statistics.median(values),
                           "min": min(values), "max": max(values), "samples": values,
                           "iterations": next(one["iterations"] for one in its if one["size"] == size)})
    return result


def ratios(samples, metric):
    """With hint by without, for each size: of runs of the same repeat, so that both had the same company."""
    result = []
    value = {(one["series"], one["size"], one["repeat"]): one["value"]
             for one in samples if one["metric"] == metric}
    for size in sorted({one["size"] for one in samples}):
        pairs = [value[key] / value[("bar",) + key[1:]] for key in value
                 if key[0] == "bar-tph" and key[1] == size and ("bar",) + key[1:] in value]
        if pairs:
            result.append({"size": size, "median": statistics.median(pairs), "min": min(pairs),
                           "max": max(pairs), "samples": pairs})
    return result


def check_samples(samples, missing, repeats):
    """What of the measurement is not as it has to be, and which figures to compare with are not there."""
    wrong, gaps = [], []
    sizes = {one["size"] for one in samples}
    for series, name in SERIES:
        for metric, *_ in METRICS:
            for size in sorted(sizes):
                count = sum(1 for one in samples if (one["series"], one["metric"], one["size"])
                            == (series, metric, size) and one["value"] > 0)
                if series not in missing and count != repeats:
                    (gaps if series in FOREIGN else wrong).append(f"{name}, {metric}, {size} bytes: {count} of {repeats} runs gave a figure")
    return wrong + ([] if sizes else ["no figure at all"]), gaps


def hints(samples):
    """How many writes of the measurement reached the completer with and without the hint they had to have."""
    result = {}
    for series, hint in (("bar-tph", HINT), ("bar", (None, None, None))):
        counts = [count for one in samples if one["series"] == series for count in one["completer"]]
        total = sum(count["writes"] + count["reads"] for count in counts)
        right = sum(count["writes"] + count["reads"] for count in counts
                    if (count["ph"], count["st"], count["st_width"]) == hint)
        result[series] = {"requests": total, "as_asked": right}
    return result


def tags(job, wire):
    """The histogram: what was asked for, what was on the wire, what the completer counted."""
    counts = json.loads((job / "tags-counts").read_text())["counts"]
    result, wrong = [], []
    for line in (job / "tags").read_text().splitlines():
        width, st, ph, messages, size = line.split()
        none = width == "0"
        key = (None, None, None) if none else (int(ph), int(st), int(width))
        count = [one for one in counts if (one["ph"], one["st"], one["st_width"]) == key]
        one = {"ph": key[0], "st": key[1], "st_width": key[2], "messages": int(messages),
               "message_bytes": int(size), "wire": wire.get(key, 0),
               "completer": sum(c["writes"] for c in count),
               "completer_bytes": sum(c["write_bytes"] for c in count)}
        result.append(one)
        if one["wire"] != one["completer"] or one["completer_bytes"] != one["messages"] * one["message_bytes"]:
            wrong.append(f"tag {key}: {one}")
    known = {(one["ph"], one["st"], one["st_width"]) for one in result}
    wrong += [f"a tag that nobody asked for: {one}" for one in counts
              if (one["ph"], one["st"], one["st_width"]) not in known]
    return result, wrong


def tags_on_wire(directory):
    """(PH, ST, width) -> memory writes, from the summaries of the trace, one for each requester."""
    wire = {}
    for path in sorted(directory.glob("tags-hca*.json")):
        summary = json.loads(path.read_text())
        wire[(None, None, None)] = wire.get((None, None, None), 0) \
            + summary["bar_writes"] - summary["with_hint"]
        for one in summary["by_hint"]:
            key = (one["ph"], one["st"], one["st_width"])
            wire[key] = wire.get(key, 0) + one["count"]
    return wire


def main():
    run, repeats, qemu = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    job = run / "job"
    samples = evidence.samples(job)
    again = [line.split()[0] for line in (job / "again").read_text().splitlines()]
    missing = (job / "missing").read_text().split()
    wrong, gaps = check_samples(samples, missing, repeats)
    arrived = hints(samples)
    for series, one in arrived.items():
        if not one["requests"] or one["requests"] != one["as_asked"]:
            wrong.append(f"{series}: of {one['requests']} requests {one['as_asked']} as asked for")
    histogram, bad = tags(job, tags_on_wire(run))
    wrong += bad
    chains = []
    for width in (8, 16):
        source = evidence.chain(job / f"chain-{width}")
        tlp = json.loads((run / f"tlp-{width}.json").read_text())
        steps, bad = chain.steps(source, tlp)
        wrong += bad
        chains.append({"width": width, "requested": source["requested"], "steps": steps})
    present = {one["series"] for one in samples}
    report = {
        "kernel": (job / "kernel").read_text().strip(), "qemu": qemu, "repeats": repeats,
        "again": {cause: again.count(cause) for cause in ("clock", "failed")},
        "series": [{"id": key, "name": name} for key, name in SERIES if key in present],
        "missing": [{"id": key, "name": name} for key, name in SERIES if key in missing],
        "hints": arrived, "tags": histogram, "chains": chains, "gaps": gaps, "wrong": wrong}
    for metric, unit, program, title in METRICS:
        report[metric] = {"title": title, "unit": unit, "program": program, "points": points(samples, metric),
                          "hint_ratio": ratios(samples, metric)}
    json.dump(report, sys.stdout, indent=1, ensure_ascii=False)
    print()
    for text in wrong:
        print(f"report: {text}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

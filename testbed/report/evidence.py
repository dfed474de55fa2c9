# SPDX-License-Identifier: GPL-2.0-only
"""What testbed/report/guest.sh left in its job directory, as assemble.py takes it.

samples: three lines each, SERIES METRIC SIZE REPEAT ITERATIONS, the results of perftest and what the emulator answered to counts.
copies: lines REPEAT WHERE SIZE COPIES NANOSECONDS, of the CPU. chain-WIDTH: a directory, see chain.sh.

Usage: evidence window FILE; where the BAR is, of a write into it as tlpdump has it: ADDRESS,BYTES.
"""
import json
import sys
from pathlib import Path

from testbed.sandbox import perftest

# Of the endpoint in testbed/report/devices.
BAR = 64 << 20
COUNTED = ("ph", "st", "st_width", "writes", "reads")


def value(metric, size, results):
    """MB/s or microseconds. perftest gives two decimals of MiB/s, and six of millions of messages per second."""
    if metric == "latency":
        return results["t_typical"]
    return perftest.megabytes_per_s(results) if size >= 1024 else results["MsgRate"] * size


def measured(text):
    result, lines = [], text.splitlines()
    for head, results, answer in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        series, metric, size, repeat, iterations = head.split()
        result.append({"series": series, "metric": metric, "size": int(size), "repeat": int(repeat), "iterations": int(iterations),
                       "value": value(metric, int(size), json.loads(results)),
                       "completer": [{key: one[key] for key in COUNTED} for one in json.loads(answer)["counts"]]})
    return result


def copied(text):
    """Those of the CPU have a bandwidth and a latency each."""
    result = []
    for line in text.splitlines():
        repeat, where, size, copies, ns = line.split()
        size, copies, ns = int(size), int(copies), float(ns)
        one = {"series": f"memcpy-{where}", "size": size, "repeat": int(repeat), "iterations": copies, "completer": []}
        result += [{**one, "metric": "bandwidth", "value": size * copies * 1000 / ns},
                   {**one, "metric": "latency", "value": ns / copies / 1000}]
    return result


def samples(job):
    return measured((job / "samples").read_text()) + copied((job / "copies").read_text())


def chain(directory):
    """What chain.steps() decodes."""
    def text(name):
        return (directory / name).read_text().strip()
    width, hca, spec, messages, size = text("head").split()
    return {"width": int(width), "hca": hca, "requested": spec, "messages": int(messages), "size": int(size),
            "ioctls": [json.loads(line) for line in text("ioctls").splitlines()], "events": text("events").splitlines(),
            "config": text("config"), "mkey": json.loads(text("mkey")), "mr": json.loads(text("mr")),
            "counts": json.loads(text("counts"))["counts"]}


def window(tlp):
    """The BAR is where a write into it says."""
    return f"{tlp['addr'] - tlp['offset']},{BAR}"


if __name__ == "__main__":
    print(window(json.loads(Path(sys.argv[2]).read_text())))

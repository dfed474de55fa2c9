# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the measurements of ./tph bench, one a line, in the order that the guest makes them.

Usage: plan full|quick ROUNDS [vs] [only=MEASURE]...; lines are ROUND SYSTEM MEASURE SIZE QPS MESSAGES.
"""
import sys

# Who is measured: the emulator of this checkout, that of --vs, soft-RoCE, the host's memcpy (testbed/bench/copies.c).
COPIES = ("memcpy", "memcpy-pages", "memcpy-stream")
SYSTEMS = ("this", "other", "rxe", *COPIES)
# measure: (name, unit, whether less is better). The 99th percentile comes with the latency.
MEASURES = {
    "latency": ("latency of a write", "us", True),
    "latency-p99": ("99th percentile of it", "us", True),
    "latency-idle": ("latency beside idle QPs", "us", True),
    "rate": ("message rate", "messages/s", False),
    "bandwidth": ("bandwidth", "MB/s", False),
    "bandwidth-huge": ("bandwidth, huge pages", "MB/s", False),
    "bar": ("bandwidth into the BAR, no hint", "MB/s", False),
    "bar-tph": ("bandwidth into the BAR, ST 42, PH 2", "MB/s", False),
    "register": ("registration of a BAR, no hint", "us", True),
    "register-tph": ("registration of a BAR, tag in use", "us", True),
    "register-host": ("registration of host memory", "us", True)}
# Those that one run of a program gives besides the first.
BESIDES = {"latency": ("latency-p99",), "register": ("register-tph", "register-host")}
EMULATED = ("this", "other")
IN_ONE_PIECE = ("memcpy", "memcpy-stream")
# (measure, size, QPs, messages, systems); the QPs of latency-idle are those that do nothing. So many messages that
# a run takes a tenth of a second: in a shorter one much of the time is that of threads which are not awake yet.
FULL = (
    ("latency", 8, 1, 10000, ("this", "other", "rxe")),
    ("latency-idle", 8, 1024, 2000, EMULATED), ("latency-idle", 8, 4096, 2000, EMULATED),
    ("rate", 8, 1, 60000, ("this", "other", "rxe")),
    ("rate", 8, 16, 40000, EMULATED),
    ("bandwidth", 4096, 1, 60000, ("this", "other", "rxe", *COPIES)),
    ("bandwidth", 65536, 1, 16000, ("this", "other", "rxe", *COPIES)),
    ("bandwidth", 1048576, 1, 1280, ("this", "other", *COPIES)),
    ("bandwidth", 8388608, 1, 96, ("this", "other", *COPIES)),
    ("bandwidth-huge", 1048576, 1, 1280, ("this", "other", *IN_ONE_PIECE)),
    ("bandwidth-huge", 8388608, 1, 96, ("this", "other", *IN_ONE_PIECE)),
    ("bar", 65536, 1, 16000, EMULATED), ("bar-tph", 65536, 1, 16000, EMULATED),
    ("bar", 1048576, 1, 1280, EMULATED), ("bar-tph", 1048576, 1, 1280, EMULATED),
    ("register", 65536, 0, 50, EMULATED), ("register-host", 65536, 0, 50, ("rxe",)))
QUICK = (
    ("latency", 8, 1, 200, ("this", "other", "rxe")),
    ("latency-idle", 8, 64, 200, EMULATED),
    ("rate", 8, 1, 2000, EMULATED),
    ("bandwidth", 65536, 1, 200, ("this", "other", *COPIES)),
    ("bandwidth-huge", 1048576, 1, 64, ("this", "other", *IN_ONE_PIECE)),
    ("bar", 65536, 1, 200, EMULATED), ("bar-tph", 65536, 1, 200, EMULATED),
    ("register", 65536, 0, 50, EMULATED), ("register-host", 65536, 0, 50, ("rxe",)))
# Bytes of a run at most: soft-RoCE is slow with what is large, and so is another commit, whose trace has to have room for each
# TLP of ten rounds.
MOST = {"rxe": 32 << 20, "other": 72 << 20}


def wanted(rows, words):
    """Those that the words only=... name; all, where there are none."""
    only = {word[len("only="):] for word in words if word.startswith("only=")}
    return [row for row in rows if not only or row[0] in only]


def messages_of(system, size, messages):
    """How many one run of that system has."""
    return min(messages, MOST[system] // size) if system in MOST else messages


def plan(rows, rounds, vs):
    """The measurements of all rounds. Who of those that are compared comes first changes from round to round."""
    result = []
    for number in range(1, rounds + 1):
        for measure, size, qps, messages, systems in rows:
            present = [one for one in systems if vs or one != "other"]
            first = number % len(present)
            for system in present[first:] + present[:first]:
                result.append((number, system, measure, size, qps, messages_of(system, size, messages)))
    return result


def main():
    words = sys.argv[3:]
    rows = wanted({"full": FULL, "quick": QUICK}[sys.argv[1]], words)
    for one in plan(rows, int(sys.argv[2]), "vs" in words):
        print(*one)


if __name__ == "__main__":
    main()

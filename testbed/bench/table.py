# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph bench as tables.

Usage: table FILE
"""
import json
import sys
from pathlib import Path

from testbed.sandbox.table import figure, table

NAMES = {"this": "this", "other": "other", "rxe": "soft-RoCE", "memcpy": "memcpy", "memcpy-pages": "by pages", "memcpy-stream": "streaming"}
OF = {"other": "the other commit", "rxe": "soft-RoCE", "memcpy": "memcpy of the host",
      "memcpy-pages": "memcpy, 4 KiB here and there", "memcpy-stream": "memcpy, not in caches", "bar": "no hint", "register": "no hint",
      "bandwidth": "host memory", "rxe-host": "soft-RoCE, host memory", "latency": "no idle QPs"}


def what(row):
    """The measure in words."""
    qps = f", {row['qps']} QPs" if row["qps"] > 1 else ""
    return f"{row['name']}, {row['size']} bytes{qps}"


def spread(one):
    return [figure(one["median"]), f"{figure(one['q1'])}..{figure(one['q3'])}"] if one else [None, None]


def profile(one):
    """Where the time went, in lines."""
    out = [""] + table([["processor time, s", "", "user", "kernel"]] + [
        [thread["program"], thread["thread"], f"{thread['user_s']:.2f}", f"{thread['system_s']:.2f}"] for thread in one["threads"]
        if thread["user_s"] + thread["system_s"] > 0], right=(2, 3))
    if one["no_functions"]:
        return out + ["", f"no functions: {one['no_functions']}"]
    return out + [""] + table([["functions, of all samples", "", "", "%"]] + [
        [row["thread"], row["object"], row["function"] or "(no names)", f"{row['percent']:.2f}"] for row in one["functions"]], right=(3,))


def lines(document):
    """DOCUMENT for people."""
    rows = document["measures"]
    systems = [name for name in NAMES if any(name in row["systems"] for row in rows)]
    out = [f"Linux {document['kernel']}, QEMU {document['qemu']}, {document['rounds']} rounds: medians, and quartiles. "
           "The figures are an emulation's: compare within a table.",
           f"Load of the machine, which has {document['processors']} processors: {document['load'][0]} before, {document['load'][1]} after, "
           "with the run's own."]
    if document["vs"]:
        out.append(f"other: the emulator of {document['vs']}")
    head = ["", ""] + [cell for name in systems for cell in (NAMES[name], "quartiles")]
    out += [""] + table([head] + [[what(row), row["unit"]] + [cell for name in systems for cell in spread(row["systems"].get(name))]
                                  for row in rows], right=range(2, len(head), 2))
    ratios = [[what(row), f"/ {OF[key]}", *spread(one)] for row in rows for key, one in row["ratios"].items()]
    if ratios:
        out += [""] + table([["ratios, round by round", "", "median", "quartiles"]] + ratios, right=(2,))
    asked = document["requests"]
    out += ["", f"Into the BAR: {asked['writes']} write requests and {asked['reads']} read requests in {asked['runs']} runs, counted by the "
            "endpoint" + ("." if asked["wrong"] else ", and each in the trace with its hint.")]
    if document["profile"]:
        out += profile(document["profile"])
    out += [f"no figure: {line}" for line in document["gaps"]] + [f"WRONG: {line}" for line in document["wrong"] + asked["wrong"]]
    return out


def main():
    print("\n".join(lines(json.loads(Path(sys.argv[1]).read_text()))))


if __name__ == "__main__":
    main()

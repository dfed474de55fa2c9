# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the runs of one boot, with the devices that they need and what has to come of each.

Usage: plan RUN-DIRECTORY OPTION...    the runs that the options of ./tph run choose
       plan RUN-DIRECTORY -            those of standard input, JSON, a line each: target, st_mode, width, st, st_ext, ph, size, iters
Of the directory's file devices what the runs do not need is taken out; job/plan gets a line of JSON for each run.
"""
import argparse
import json
import sys
from pathlib import Path

from testbed.sandbox import devices, hints, jsonl, topologies

DEVICES = Path(__file__).with_name("devices")
# target: (device, BAR)
TARGETS = {"gpu": ("gpu0", 0), "nvme": ("nvme0", 2), "gpu-no-tph": ("gpu1", 0), "qemu-nvme": ("qnvme0", 2)}
# They take no hint.
WITHOUT_TPH = ("gpu-no-tph", "qemu-nvme")
# QEMU's CMB takes 8 bytes per access, so fewer messages say the same.
TRAPPED_ITERS = 50


def expected(request):
    """What must come of a run: hint (every write carries it), plain (none does) or refused (setting it fails)."""
    if request["st"] is None and request["st_ext"] is None:
        return "plain"
    if request["target"] in WITHOUT_TPH:
        return "refused"
    tag = hints.tag(request, request["width"])
    # Only the other width's tag is there, or the memory key's field is too small: never converted, never truncated.
    if tag is None or (request["st_mode"] == "direct" and tag > 255):
        return "plain"
    return "hint"


def standard(options):
    """The runs that the options choose: without a tag, and with those given, or else those that each target is shown with."""
    result = []

    def add(target, st_mode, width, st, st_ext):
        iters = min(options.iters, TRAPPED_ITERS) if target == "qemu-nvme" else options.iters
        result.append({"target": target, "st_mode": st_mode, "width": width, "st": st, "st_ext": st_ext, "ph": options.ph,
                       "size": options.size, "iters": iters, "bar": options.bar, "offset": options.offset})

    st_mode = options.st_mode or "table"
    for target in TARGETS if options.target == "all" else [options.target]:
        add(target, st_mode, options.st_width or 8, None, None)
        if options.st is not None or options.st_ext is not None:
            add(target, st_mode, options.st_width or (8 if options.st is not None else 16), options.st, options.st_ext)
            continue
        add(target, st_mode, options.st_width or 8, 42, None)
        if target not in WITHOUT_TPH:
            add(target, st_mode, options.st_width or 16, None, 48879)
        if target == "gpu" and not options.st_mode:
            add(target, "direct", options.st_width or 8, 42, None)
    return result


def rows(requests, known, client="hca0"):
    """REQUESTS with their number, devices of KNOWN (as devices.parse has them), the CLIENT, an HCA function or a machine, and expectation."""
    result = []
    for number, request in enumerate(requests, 1):
        device, bar = TARGETS[request["target"]]
        hca = devices.function(known, request["st_mode"], request["width"])
        row = {"id": number, "device": device, "bdf": known[device]["bdf"], "hca": hca, "hca_bdf": known[hca]["bdf"], "client": client,
               "offset": 0, **request}
        if row.get("bar") is None:
            row["bar"] = bar
        result.append({**row, "expected": expected(row)})
    return result


def needed(lines, plan, known, elsewhere=()):
    """Of the LINES of a devices file those that the plan and machines ELSEWHERE need; what is not among KNOWN was asked for besides."""
    names = {row[key] for row in plan for key in ("device", "hca", "client")} | set(elsewhere)
    return [line for line in lines if line.split()[1:2] and (line.split()[1] in names or line.split()[1] not in known)]


def arguments(words):
    parser = argparse.ArgumentParser(prog="plan")
    parser.add_argument("--target", choices=[*TARGETS, "all"], required=True)
    parser.add_argument("--st-mode", choices=["table", "direct"])
    for name, default in (("st", None), ("st-ext", None), ("ph", 2), ("size", 65536), ("iters", 1000), ("bar", None), ("offset", 0),
                          ("st-width", None)):
        parser.add_argument(f"--{name}", type=lambda word: int(word, 0), default=default)
    return parser.parse_args(words)


def main():
    directory, *words = sys.argv[1:]
    requests = [json.loads(line) for line in sys.stdin] if words == ["-"] else standard(arguments(words))
    known = devices.parse(DEVICES.read_text())
    topology = topologies.of(Path(directory))
    others = topologies.others(topology)
    plan = rows(requests, known, others[0] if others else "hca0")
    path = Path(directory) / "devices"
    path.write_text("".join(line + "\n" for line in needed(path.read_text().splitlines(), plan, known, topologies.elsewhere(topology))))
    jsonl.write(Path(directory) / "job/plan", plan)


if __name__ == "__main__":
    main()

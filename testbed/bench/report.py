# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph bench, of what testbed/bench/guest.sh left.

Usage: report RUN-DIRECTORY ROUNDS QEMU [COMMIT]; JSON to standard output. Exit status 1, with the causes on standard error,
when a figure of an emulator is missing, or the endpoint counted other requests than the trace has. Those of soft-RoCE are
there to compare: what it fails is in gaps.
"""
import json
import os
import sys
from pathlib import Path

from testbed.bench.plan import BESIDES, MEASURES, SYSTEMS
from testbed.bench.profiling import profile
from testbed.bench.samples import counted, samples as made
from testbed.sandbox.spread import spread

# What a measure of this checkout is a ratio of, besides the same of other systems: names, and the system and measure they are for,
# of the same size. The QPs are as many, but for latency-idle.
BASES = {"bar-tph": {"bar": ("this", "bar")}, "bar": {"bandwidth": ("this", "bandwidth")},
         "register": {"rxe-host": ("rxe", "register-host")},
         "register-tph": {"register": ("this", "register"), "rxe-host": ("rxe", "register-host")},
         "latency-idle": {"latency": ("this", "latency")}}
# The endpoint of testbed/bench/devices, and what it counts.
COMPLETER = "gpu0"
COUNTED = {"writes": ("write", "write_bytes"), "reads": ("read", "read_bytes")}


def expected(lines):
    """{(round, system, measure, size, QPs)} of a plan."""
    result = set()
    for line in lines:
        number, system, measure, size, qps, _ = line.split()
        for one in (measure, *BESIDES.get(measure, ())):
            result.add((int(number), system, one, int(size), int(qps)))
    return result


def measures(samples):
    """Of each measure, in the order of MEASURES: the spread of each system, and ratios of runs of the same round."""
    value = {(one["round"], one["system"], one["measure"], one["size"], one["qps"]): one["value"] for one in samples}
    rounds = sorted({one["round"] for one in samples})
    rows = sorted({key[2:] for key in value}, key=lambda row: (list(MEASURES).index(row[0]), row[1:]))

    def ratio(row, to_system, to_row):
        pairs = [value[(number, "this", *row)] / value[(number, to_system, *to_row)] for number in rounds
                 if (number, "this", *row) in value and (number, to_system, *to_row) in value]
        return spread(pairs) if pairs else None

    result = []
    for row in rows:
        measure, size, qps = row
        name, unit, less = MEASURES[measure]
        systems = {}
        for system in SYSTEMS:
            values = [value[(number, system, *row)] for number in rounds if (number, system, *row) in value]
            if values:
                systems[system] = spread(values)
        ratios = {system: ratio(row, system, row) for system in systems if system != "this"}
        for key, (system, base) in BASES.get(measure, {}).items():
            ratios[key] = ratio(row, system, (base, size, 1 if measure == "latency-idle" else qps))
        result.append({"measure": measure, "name": name, "unit": unit, "less_is_better": less, "size": size, "qps": qps,
                       "systems": systems, "ratios": {key: one for key, one in ratios.items() if one}})
    return result


def missing(plan, samples):
    """(wrong, gaps): lines of what the plan has and the samples have not, and the other way round."""
    made = [(one["round"], one["system"], one["measure"], one["size"], one["qps"]) for one in samples]
    wrong, gaps = [], []
    for key in sorted(plan - set(made)):
        text = "round {}: {}, {}, {} bytes, {} QPs: no figure".format(*key)
        (gaps if key[1] == "rxe" else wrong).append(text)
    wrong += ["round {}: {}, {}, {} bytes, {} QPs: not in the plan".format(*key) for key in sorted(set(made) - plan)]
    if len(made) != len(set(made)):
        wrong.append("figures of one measurement twice")
    return wrong, gaps


def hint_of(one):
    return "none" if one is None or one["st"] is None else f"ST {one['st']} of {one['st_width']} bits, PH {one['ph']}"


def requests(tries, flows):
    """What the endpoint counted in each run, and whether those are the requests of the trace behind the mark of that run."""
    on_wire = {one["mark"]: one for one in flows}
    total, wrong = {key: 0 for key in COUNTED}, []
    for run in tries:
        text = "round {round}: {measure}, {size} bytes, {qps} QPs".format(**run)
        trace = on_wire.get(run["mark"])
        if trace is None or trace.get("others"):
            wrong.append(f"{text}: the trace does not have all of it")
            continue
        seen, sent = {}, {}
        for one in run["counts"]:
            for key, (kind, size) in COUNTED.items():
                total[key] += one[key]
                if one[key]:
                    seen[(kind, hint_of(one))] = (one[key], one[size])
        for one in trace["flows"]:
            if one["target"] == COMPLETER and one["type"] != "completion":
                key = (one["type"], hint_of(one["hint"]))
                tlps, size = sent.get(key, (0, 0))
                sent[key] = (tlps + one["tlps"], size + one["bytes"])
        for key in sorted(set(seen) | set(sent)):
            if seen.get(key) != sent.get(key):
                wrong.append("{}: {}, hint {}: {} requests of {} bytes counted, {} of {} in the trace".format(
                    text, *key, *seen.get(key, (0, 0)), *sent.get(key, (0, 0))))
    return {"runs": len(tries), **total, "wrong": wrong}


def json_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def main():
    run, rounds, qemu, *commit = sys.argv[1:]
    job = Path(run) / "job"
    samples = made((job / "samples").read_text().splitlines())
    asked = requests(counted((job / "counted").read_text().splitlines()), json_lines(Path(run) / "flows"))
    plan = expected((job / "plan").read_text().splitlines())
    wrong, gaps = missing(plan, samples)
    kernel = (job / "kernel").read_text().strip()
    load = [float((job / "load").read_text().split()[0]), os.getloadavg()[0]]
    json.dump({"kernel": kernel, "qemu": qemu, "rounds": int(rounds), "vs": commit[0] if commit else None,
               "load": [round(one, 2) for one in load], "processors": len(os.sched_getaffinity(0)),
               "measures": measures(samples), "requests": asked, "profile": profile(Path(run), os.sysconf("SC_CLK_TCK")), "wrong": wrong, "gaps": gaps}, sys.stdout, indent=1)
    print()
    for line in wrong + asked["wrong"]:
        print(f"bench: {line}", file=sys.stderr)
    return 1 if wrong or asked["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())

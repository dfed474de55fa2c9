# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the document of ./tph bench, of what testbed/bench/guest.sh left.

Usage: report.py RUN-DIRECTORY ROUNDS QEMU [COMMIT]; JSON to standard output. Exit status 1, with the causes on standard error,
when a figure of an emulator is missing. Those of soft-RoCE are there to compare: what it fails is in gaps.
"""
import json
import os
import sys
from pathlib import Path

from plan import BESIDES, MEASURES, SYSTEMS
from profiling import profile

# What a measure of this checkout is a ratio of, besides the same of other systems.
BASES = {"bar-tph": "bar", "register-tph": "register", "bar": "bandwidth"}


def quantile(values, q):
    """Between the values around it, when there is none there."""
    values = sorted(values)
    at = (len(values) - 1) * q
    low = int(at)
    return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (at - low)


def spread(values):
    return {"median": quantile(values, 0.5), "q1": quantile(values, 0.25), "q3": quantile(values, 0.75), "runs": len(values)}


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
        if measure in BASES:
            ratios[BASES[measure]] = ratio(row, "this", (BASES[measure], size, qps))
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


def main():
    run, rounds, qemu, *commit = sys.argv[1:]
    job = Path(run) / "job"
    samples = [json.loads(line) for line in (job / "samples").read_text().splitlines()]
    plan = expected((job / "plan").read_text().splitlines())
    wrong, gaps = missing(plan, samples)
    kernel = (job / "kernel").read_text().strip()
    load = [float((job / "load").read_text().split()[0]), os.getloadavg()[0]]
    json.dump({"kernel": kernel, "qemu": qemu, "rounds": int(rounds), "vs": commit[0] if commit else None,
               "load": [round(one, 2) for one in load], "processors": len(os.sched_getaffinity(0)),
               "measures": measures(samples), "profile": profile(Path(run), os.sysconf("SC_CLK_TCK")), "wrong": wrong, "gaps": gaps}, sys.stdout, indent=1)
    print()
    for line in wrong:
        print(f"bench: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

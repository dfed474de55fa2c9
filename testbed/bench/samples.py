# SPDX-License-Identifier: GPL-2.0-only
"""What testbed/bench/guest.sh left, as the document of ./tph bench counts it.

Lines of job/samples are ROUND SYSTEM MEASURE SIZE QPS VALUE: the field that a program gave, or several with a comma between them. Two
lines of job/counted belong together: MARK ROUND MEASURE SIZE QPS of a try, and what the emulator answered to counts.
"""
import json
import statistics

from testbed.bench.plan import COPIES
from testbed.sandbox import perftest


def figure(system, measure, values):
    """In the unit of the measure (testbed/bench/plan.py). Those of perftest are its fields; those of cost are nanoseconds, of which the
    middle one counts; copies have the unit already."""
    if measure.startswith("register"):
        return statistics.median(values) / 1000
    value, = values
    if system in COPIES or measure.startswith("latency"):
        return value
    return perftest.messages_per_s({"MsgRate": value}) if measure == "rate" else perftest.megabytes_per_s({"BW_average": value})


def samples(lines):
    result = []
    for line in lines:
        number, system, measure, size, qps, values = line.split()
        result.append({"round": int(number), "system": system, "measure": measure, "size": int(size), "qps": int(qps),
                       "value": figure(system, measure, [float(one) for one in values.split(",")])})
    return result


def counted(lines):
    result = []
    for head, answer in zip(lines[::2], lines[1::2], strict=True):
        mark, number, measure, size, qps = head.split()
        result.append({"mark": mark, "round": int(number), "measure": measure, "size": int(size), "qps": int(qps),
                       "counts": json.loads(answer)["counts"]})
    return result

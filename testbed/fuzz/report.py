# SPDX-License-Identifier: GPL-2.0-only
"""In the root of fuzzers: what came of them.

Usage: report target TARGET SEED SECONDS STATUS INPUT LOG    the result of one target, of what libFuzzer wrote; INPUT: the file with the
                                                             input that was found, if STATUS is not 0
       report say FILE                                       such a result for people, as one line
       report all SEED FILE...                               the document of ./tph fuzz, of such results
"""
import json
import re
import sys
from pathlib import Path

WHY = re.compile(r"^.*(?:^(?:oracle|finding|fuzz): |runtime error|ERROR: ).*$", re.MULTILINE)
EXECUTED = re.compile(r"^stat::number_of_executed_units: *([0-9]+)$", re.MULTILINE)
# Of a fuzzer that did not come to its end.
LAST = re.compile(r"^#([0-9]+)", re.MULTILINE)


def executions(log):
    whole = EXECUTED.findall(log) or LAST.findall(log)
    return int(whole[-1]) if whole else 0


def target(name, seed, seconds, status, found, log):
    """The result of a target whose fuzzer ended with STATUS."""
    why = WHY.search(log)
    finding = {"input": found, "why": why[0][:200] if why else ""} if status else None
    return {"target": name, "seed": seed, "seconds": seconds, "executions": executions(log), "finding": finding}


def say(result):
    finding = f", FINDING: {result['finding']['why']}" if result["finding"] else ""
    return f"{result['target']}: {result['executions']} executions in {result['seconds']} s{finding}"


def main():
    what, *words = sys.argv[1:]
    if what == "target":
        name, seed, seconds, status, found, log = words
        print(json.dumps(target(name, int(seed), int(seconds), int(status), found, Path(log).read_text(errors="replace")), ensure_ascii=False))
    elif what == "say":
        print(say(json.loads(Path(words[0]).read_text())))
    else:
        seed, *files = words
        print(json.dumps({"seed": int(seed), "targets": [json.loads(Path(file).read_text()) for file in files]}, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-2.0-only
"""In the root of fuzzers: the document of ./tph fuzz for people: a line for each target, then what was found.

Usage: table FILE
"""
import json
import sys
from pathlib import Path

from testbed.sandbox.table import table


def cells(target):
    speed = target["executions"] // target["seconds"] if target["seconds"] > 0 else 0
    return [target["target"], target["executions"], target["seconds"], speed, "", target["finding"]["why"] if target["finding"] else "-"]


def lines(document):
    """DOCUMENT for people."""
    return table([["target", "executions", "seconds", "per second", "", "finding"]] + [cells(target) for target in document["targets"]],
                 right=(1, 2, 3), least=(10, 11, 9, 11), gap=" ") \
        + [f"{target['target']}: input {target['finding']['input']}" for target in document["targets"] if target["finding"]]


def main():
    print("\n".join(lines(json.loads(Path(sys.argv[1]).read_text()))))


if __name__ == "__main__":
    main()

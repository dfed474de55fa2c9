# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: what ./tph example runs.

Usage: plan RUN-DIRECTORY EXAMPLE...; leaves job/plan, JSON, a line each.
"""
import sys
from pathlib import Path

from testbed.sandbox import devices, jsonl

DEVICES = Path(__file__).parents[1] / "devices"
# example: first tag of a function of that width, number of clients, which have a tag each
EXAMPLES = {"bar": ({8: 42, 16: 48879}, 1), "tags": ({8: 32, 16: 4096}, 8)}
# HCA function: options of the server that has the first tag, and of the clients, which go by InfiniBand's own addresses once
FUNCTIONS = {"hca0": ("-t", None), "hca1": ("-T", "-i")}


def rows(examples, known):
    """Each example on each function, with the numbers that the guest and the trace know them by."""
    result = []
    for example in examples:
        tags, clients = EXAMPLES[example]
        for index, (hca, (tag_option, client_option)) in enumerate(FUNCTIONS.items()):
            width = int(known[hca]["st-width"])
            result.append({"number": len(result) + 1, "example": example, "hca": hca, "device": f"mlx5_{index}", "width": width,
                           "tag": tags[width], "clients": clients, "tag_option": tag_option, "client_option": client_option})
    return result


def main():
    jsonl.write(Path(sys.argv[1]) / "job/plan", rows(sys.argv[2:], devices.parse(DEVICES.read_text())))


if __name__ == "__main__":
    main()

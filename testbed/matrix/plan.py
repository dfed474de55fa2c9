# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the cells of ./tph matrix with what has to come of each, and runs of ib_write_bw beside them.

Usage: plan RUN-DIRECTORY full|quick; leaves job/cells and job/plan (as testbed/run/plan.py), JSON, a line each, and job/cells.words, what
the program in the guest (matrix.c) reads of the cells.
"""
import itertools
import sys
from pathlib import Path

from testbed.run import plan as run_plan
from testbed.sandbox import devices, hints, jsonl

DEVICES = Path(__file__).with_name("devices")
OPERATIONS = ("write", "read", "send")
# Their completers count.
ENDPOINTS = ("gpu", "nvme")
# There is no hint for them: QEMU's endpoint has no completer for it, host memory is no dma-buf.
OTHERS = ("qemu-nvme", "host")
# Which tags are given.
KINDS = ("st8", "st16", "both")
OFF = {"kind": "off", "ph": None}
HINTS = [OFF] + [{"kind": kind, "ph": ph} for kind in KINDS for ph in range(4)]
# Bytes of a cell at most; where each access is trapped it takes long. With the GPU any.
MOST = {"nvme": 64 << 20, "host": 64 << 20, "qemu-nvme": 8 << 20}
# (target, HCA function, ST, Extended ST, PH) of ib_write_bw
QUICK_RUNS = (("gpu", "hca1", 42, 48879, 2), ("gpu", "hca2", 42, 48879, 2))
FULL_RUNS = tuple((target, *rest) for target in ENDPOINTS for rest in (
    ("hca1", None, None, 0), ("hca1", 7, None, 1), ("hca1", None, 4660, 3), ("hca2", None, 4660, 0), ("hca3", 255, None, 3),
    ("hca4", None, 66, 1), ("hca4", 17, 4660, 2))) + (("qemu-nvme", "hca1", None, None, 0), ("qemu-nvme", "hca1", 42, None, 2))


def functions(known):
    """The HCA functions besides the peer, in their order: number of mlx5_N, mode and width."""
    found = [one for name, one in known.items() if one["kind"] == "hca" and name != "hca0"]
    return [{"hca": number, "mode": one["st-mode"], "width": int(one["st-width"])} for number, one in enumerate(found, 1)]


def shape(size, qps):
    return {"size": size, "qps": qps, "messages": 4 if size * qps <= 65536 else 1}


def crossed(*axes):
    """All combinations of the axes, lists of dictionaries; the last axis changes first."""
    return [{key: value for part in parts for key, value in part.items()} for parts in itertools.product(*axes)]


def axis(key, values):
    return [{key: value} for value in values]


def all_hints(known):
    """Every hint with every operation and function."""
    operations, shapes = axis("operation", OPERATIONS), [shape(size, qps) for size in (8, 4096, 65536) for qps in (1, 16)]
    ones = [one for one in HINTS if one["ph"] is not None]
    return crossed(shapes, HINTS, functions(known), operations, axis("target", ENDPOINTS)) \
        + crossed(shapes, [OFF], functions(known), operations, axis("target", OTHERS)) \
        + crossed([shape(4096, 1)], ones, functions(known), operations, axis("target", OTHERS))


def all_shapes(known):
    """Every size and number of QPs, with functions and hints in turn."""
    shapes = [shape(1 << size, 1 << qps) for size in range(3, 24) for qps in range(7)]
    cells = [cell for cell in crossed(shapes, axis("operation", OPERATIONS), axis("target", ENDPOINTS + OTHERS))
             if cell["size"] * cell["qps"] <= MOST.get(cell["target"], float("inf"))]
    mlx5 = functions(known)
    return [{**cell, **mlx5[(number + number // 12) % len(mlx5)], **(HINTS[number % len(HINTS)] if cell["target"] in ENDPOINTS else OFF)}
            for number, cell in enumerate(cells)]


def quick_cells(known):
    mlx5 = functions(known)
    few = [one for one in mlx5 if one["hca"] <= 2]
    shapes = [shape(*one) for one in ((8, 1), (64, 4), (512, 16), (4096, 1), (65536, 64), (1 << 20, 2), (32, 64))]
    hinted = crossed(axis("kind", ("off",) + KINDS), mlx5, axis("operation", OPERATIONS), axis("target", ENDPOINTS))
    return [{**cell, **shapes[number % len(shapes)], "ph": None if cell["kind"] == "off" else number % 4}
            for number, cell in enumerate(hinted)] \
        + crossed([shape(4096, 4)], [OFF], few, axis("operation", OPERATIONS), axis("target", OTHERS)) \
        + crossed([shape(4096, 1)], few, [{"operation": "write", "ph": 2}], axis("target", OTHERS), axis("kind", KINDS)) \
        + crossed([shape(8 << 20, 2)], mlx5[1:2], [{"target": "gpu", "kind": "both", "ph": 1}], axis("operation", OPERATIONS))


def tags(number, cell):
    """Tags that differ from cell to cell, 0 among them, and so that no part of one passes for the other."""
    st, st_ext = number * 41 % 256, number * 7919 % (256 if cell["mode"] == "direct" and number % 2 == 0 else 65536)
    if st_ext % 256 == st:
        st_ext = (st_ext + 1) % 256
    return {"st": st if cell["kind"] in ("st8", "both") else None, "st_ext": st_ext if cell["kind"] in ("st16", "both") else None,
            "ph": cell["ph"]}


def expectation(cell):
    """What has to come of a cell: the step that refuses its hint, the memory key's hint, whether bytes move."""
    tag, ph = hints.tag(cell["requested"], cell["width"]), cell["requested"]["ph"]
    result = {"refused": None, "applied": None, "moved": True}
    if ph is None:
        return result
    if cell["target"] == "qemu-nvme":
        return {**result, "refused": {"step": "attach", "errno": "EOPNOTSUPP"}, "moved": False}
    if cell["target"] == "host":
        return {**result, "refused": {"step": "register", "errno": "EINVAL"}, "moved": False}
    if tag is None:
        return {**result, "refused": {"step": "register", "errno": "ENODATA"}}
    if cell["mode"] == "direct" and tag > 255:
        return {**result, "refused": {"step": "register", "errno": "ERANGE"}}
    return {**result, "applied": {"st": tag, "st_width": cell["width"], "ph": ph}}


def cells(quick, known):
    """The cells, those of a function and target one after another."""
    chosen = quick_cells(known) if quick else all_shapes(known) + all_hints(known)
    result = []
    for number, cell in enumerate(sorted(chosen, key=lambda one: (one["hca"], one["target"]))):
        cell = {"id": number, **cell, "requested": tags(number, cell)}
        del cell["kind"], cell["ph"]
        result.append({**cell, "expected": expectation(cell)})
    return result


def words(cell):
    """A line of matrix.c: - is no tag, and the PH does not matter then."""
    def tag(value):
        return "-" if value is None else value
    asked = cell["requested"]
    return " ".join(str(word) for word in (cell["id"], cell["target"], cell["operation"], cell["hca"], tag(asked["st"]), tag(asked["st_ext"]),
                                           asked["ph"] or 0, cell["size"], cell["qps"], cell["messages"]))


def runs(quick, known):
    """The runs of ib_write_bw."""
    requests = [{"target": target, "st_mode": known[hca]["st-mode"], "width": int(known[hca]["st-width"]), "st": st, "st_ext": st_ext,
                 "ph": ph, "size": 65536, "iters": run_plan.TRAPPED_ITERS if target == "qemu-nvme" else 1000}
                for target, hca, st, st_ext, ph in QUICK_RUNS + (() if quick else FULL_RUNS)]
    return run_plan.rows(requests, known)


def main():
    directory, quick = Path(sys.argv[1]), {"quick": True, "full": False}[sys.argv[2]]
    known = devices.parse(DEVICES.read_text())
    planned = cells(quick, known)
    jsonl.write(directory / "job/cells", planned)
    (directory / "job/cells.words").write_text("".join(words(cell) + "\n" for cell in planned))
    jsonl.write(directory / "job/plan", runs(quick, known))


if __name__ == "__main__":
    main()

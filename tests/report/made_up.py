# SPDX-License-Identifier: GPL-2.0-only
"""A run of the report with made-up figures and recorded bytes, as guest.sh and collect.sh leave one."""
import json
import shutil
from pathlib import Path

SERIES = ["bar-tph", "bar", "host", "rxe", "siw", "memcpy-bar", "memcpy-host"]
SIZES = [8, 64, 512, 4096, 32768, 262144, 1048576]
REPEATS = 3
HINTS = {"bar-tph": {"ph": 2, "st": 42, "st_width": 8}, "bar": {"ph": None, "st": None, "st_width": None}}


def value(series, metric, size, repeat):
    """Median at the repeat 2; the third repeat is the least, or the slowest."""
    base = (SERIES.index(series) + 1) * (size if metric == "bandwidth" else 10 + size / 100)
    if series.startswith("memcpy"):
        # One time makes both figures.
        rate = (1 << SERIES.index(series)) * {1: 2, 2: 1, 3: 0.5}[repeat]
        return rate if metric == "bandwidth" else size / rate
    if metric == "bandwidth" and size >= 1024:
        # perftest has MiB.
        base *= 1.048576
    return base * {1: 1.5, 2: 1, 3: 0.5}[repeat]


def left(samples):
    """(samples, copies): what the guest leaves of SAMPLES, lines of JSON."""
    measured, copied = "", ""
    for one in map(json.loads, samples.splitlines()):
        value, size = one["value"], one["size"]
        if one["series"].startswith("memcpy"):
            if one["metric"] == "latency":
                copied += f"{one['repeat']} {one['series'].removeprefix('memcpy-')} {size} {one['iterations']} {value * one['iterations'] * 1000}\n"
            continue
        results = {"t_typical": value} if one["metric"] == "latency" else {"BW_average": value / 1.048576, "MsgRate": value / size}
        measured += f"{one['series']} {one['metric']} {size} {one['repeat']} {one['iterations']}\n{json.dumps(results)}\n"
        measured += json.dumps({"counts": one["completer"]}) + "\n"
    return measured, copied


def chain_left(run, text):
    """The files of a chain."""
    chain = json.loads(text)
    run.mkdir()
    (run / "head").write_text(" ".join(str(chain[key]) for key in ("width", "hca", "requested", "messages", "size")) + "\n")
    (run / "ioctls").write_text("".join(json.dumps(one) + "\n" for one in chain["ioctls"]))
    (run / "events").write_text("".join(one + "\n" for one in chain["events"]))
    (run / "config").write_text(chain["config"])
    (run / "counts").write_text(json.dumps({"counts": chain["counts"]}))
    for name in ("mkey", "mr"):
        (run / name).write_text(json.dumps(chain[name]))


def samples():
    return [{"series": series, "metric": metric, "size": size, "repeat": repeat, "iterations": 10,
             "value": value(series, metric, size, repeat),
             "completer": [HINTS[series] | {"writes": 8, "reads": 2}] if series in HINTS else []}
            for repeat in range(1, REPEATS + 1) for size in SIZES for series in SERIES
            for metric in ("bandwidth", "latency")]


def make(run, change=None):
    """Writes the run into a new directory; change(files) may spoil it before: texts by name."""
    recorded = Path(__file__).parent / "recorded"
    counts = [{"ph": None, "st": None, "st_width": None, "writes": 160, "reads": 0, "write_bytes": 81920},
              {"ph": 2, "st": 42, "st_width": 8, "writes": 400, "reads": 0, "write_bytes": 204800},
              {"ph": 2, "st": 42, "st_width": 16, "writes": 240, "reads": 0, "write_bytes": 122880},
              {"ph": 3, "st": 48879, "st_width": 16, "writes": 320, "reads": 0, "write_bytes": 163840}]
    files = {
        "job/samples": "".join(json.dumps(one) + "\n" for one in samples()),
        "job/tags": "0 - - 20 4096\n8 42 2 50 4096\n16 42 2 30 4096\n16 48879 3 40 4096\n",
        "job/tags-counts": json.dumps({"counts": counts}),
        "job/missing": "", "job/again": "clock bar latency 64\nfailed siw latency 64\nclock siw latency 8\n", "job/kernel": "7.3.4\n",
        "tags-hca1.json": '{"bar_writes":560,"with_hint":400,"by_hint":[{"ph":2,"st":42,"st_width":8,"count":400}]}',
        "tags-hca2.json": '{"bar_writes":560,"with_hint":560,"by_hint":[{"ph":2,"st":42,"st_width":16,"count":240},'
                          '{"ph":3,"st":48879,"st_width":16,"count":320}]}'}
    for width in (8, 16):
        files[f"job/chain-{width}.json"] = (recorded / f"chain-{width}.json").read_text()
        files[f"tlp-{width}.json"] = (recorded / f"tlp-{width}.json").read_text()
    if change:
        change(files)
    shutil.rmtree(run, ignore_errors=True)
    (run / "job").mkdir(parents=True)
    files["job/samples"], files["job/copies"] = left(files["job/samples"])
    for width in (8, 16):
        chain_left(run / f"job/chain-{width}", files.pop(f"job/chain-{width}.json"))
    for name, text in files.items():
        (run / name).write_text(text)

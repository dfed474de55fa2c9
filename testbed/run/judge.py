# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox, after a boot of guest.sh: what was planned (job/plan), what the guest saw (job/rows/ID) and what was on the wire.

Usage: judge wire RUN-DIRECTORY            for each run a line, its number and the options of tlpdump --summary that say what was on
                                           the wire
       judge report RUN-DIRECTORY QEMU     the document of ./tph run, with the summaries in wire/ID.json, to standard output. Exit
                                           status 1 when a run is not as it has to be.
"""
import json
import sys
from pathlib import Path

from testbed.sandbox import hints, jsonl, topologies
from testbed.sandbox.table import nearest

NOT_COUNTED = {"counts": []}


def document(path):
    """The JSON there; None without the file."""
    return json.loads(path.read_text()) if path.exists() else None


def evidence(run, row):
    """What the guest left of a run; None when it left nothing, or what cannot be read."""
    path = run / "job/rows" / str(row["id"])
    if not path.exists():
        return None
    try:
        return {"outcome": document(path / "outcome"), "mkey": document(path / "mkey"), "counts": document(path / "counts"),
                "client": document(path / "client.json"), "server": document(path / "server.json"),
                "resource": (path / "resource").read_text()}
    except ValueError as error:
        # perftest writes inf where the machine disturbs its clock.
        print(f"run {row['id']} ({row['target']}): what the guest left is no JSON: {error}", file=sys.stderr)
        return None


def window(seen, iommu):
    """(first address, length) of the BAR on the link. Behind a translating IOMMU only the requester knows the BAR's address there."""
    if iommu == "translated":
        low, high = (int(seen["mkey"].get(key) or none, 16) for key, none in (("dma_low", "0"), ("dma_high", "1")))
        return low, high - low
    first, last, *_ = (int(word, 16) for word in seen["resource"].split())
    return first, last - first + 1


def wire(row, seen, iommu):
    """The options of tlpdump --summary for a run."""
    hint = "none"
    if row["expected"] == "hint":
        hint = f"ph={row['ph']},st={hints.tag(row, row['width'])},width={row['width']}"
    first, length = window(seen, iommu)
    return f"--from begin-{row['id']} --to end-{row['id']} --source {row['hca']} --window {first:#x},{length} --expect {hint}"


def megabytes(perftest):
    """Bandwidth in 10^6 bytes per second, with two digits; perftest counts in MiB."""
    return nearest(perftest["results"]["BW_average"] * 104.8576) / 100


def counted(counts):
    """What the completer counted of writes with a hint."""
    return [{"ph": one["ph"], "st": one["st"], "st_width": one["st_width"], "count": one["writes"]}
            for one in counts["counts"] if one["ph"] is not None and one["writes"] > 0]


def carried(run, tag):
    """The tag is in each layer: the TLPs, the memory key, and what perftest read back."""
    tlp, mkey, applied = run["tlp"], run["mkey"] or {}, run["perftest"]["applied"] or {}
    return tlp["with_hint"] == tlp["bar_writes"] and mkey.get("tph") is True and (mkey["st"], mkey["ph"]) == (tag, run["requested"]["ph"]) \
        and [applied.get(key) for key in ("source", "steering_tag", "st_width", "ph")] == ["dma-buf", tag, run["width"], run["requested"]["ph"]]


def bare(run):
    """There is no hint in any layer; perftest says so when it was told to look for one."""
    asked = run["requested"]["st"] is not None or run["requested"]["st_ext"] is not None
    return run["tlp"]["with_hint"] == 0 and not (run["mkey"] or {}).get("tph") \
        and (run["perftest"]["applied"] or {}).get("source") == ("none" if asked else None)


def as_expected(run, tag, counts, iommu, link):
    """Whether a RUN of the document is as it has to be. COUNTS: those of the completer, None when it does not count. LINK: what the ports
    have to be."""
    tlp = run["tlp"]
    if run["link_layer"] != link:
        return False
    if run["expected"] == "refused":
        return run["result"] == "refused" and run["errno"] == "EOPNOTSUPP" and tlp["bar_writes"] == 0 and tlp["hint_elsewhere"] == 0 \
            and run["data_verified"] is None
    good = run["result"] == "ok" and run["data_verified"] is True and tlp["bar_writes"] > 0 and tlp["wrong_hint"] == 0 \
        and tlp["hint_elsewhere"] == 0
    good = good and (carried(run, tag) if run["expected"] == "hint" else bare(run))
    # Behind a translating IOMMU the host delivers the write, so the completer sees no hint to count.
    if counts is not None and iommu != "translated":
        good = good and run["completer"]["by_hint"] == tlp["by_hint"] and sum(one["writes"] for one in counts["counts"]) == tlp["bar_writes"]
    return good


def judged(row, seen, tlp, iommu, link):
    """One run of the document: its ROW of the plan, what the guest has SEEN, the summary of the TLPs, what the ports have to be."""
    outcome, none = seen["outcome"], row["st"] is None and row["st_ext"] is None
    well = outcome["server"] == 0 and outcome["client"] == 0
    mkey = seen["mkey"] if seen["mkey"].get("mkey") is not None else None
    server = seen["server"] or {}
    run = {
        "target": row["target"], "bdf": row["bdf"], "bar": row["bar"], "st_mode": row["st_mode"], "width": row["width"],
        "link_layer": outcome["link"], "requested": {"st": row["st"], "st_ext": row["st_ext"], "ph": None if none else row["ph"]},
        "mkey": mkey and {key: mkey.get(key) for key in ("tph", "ph", "st", "st_width")},
        "result": "ok" if well else "refused" if outcome["errno"] else "failed", "errno": outcome["errno"] or None,
        "perftest": {"program": "ib_write_bw", "size": row["size"], "iters": row["iters"],
                     "bw_avg_MBps": megabytes(seen["client"]) if well else None,
                     "applied": (server.get("test_info") or {}).get("dmabuf_tph", {}).get("applied") if well else None},
        "tlp": {key: tlp[key] for key in ("bar_writes", "with_hint", "wrong_hint", "hint_elsewhere", "by_hint")},
        "completer": {"by_hint": counted(seen["counts"] or NOT_COUNTED)}, "data_verified": outcome["verified"] if well else None,
        "expected": row["expected"]}
    return {**run, "as_expected": as_expected(run, hints.tag(row, row["width"]), seen["counts"], iommu, link)}


def host_memory(job):
    """The benchmark without a BAR, of the devices that there is a result of."""
    results = {device: document(job / "host-memory" / f"{device}.json") for device in ("mlx5", "rxe")}
    return [{"device": device, "program": "ib_write_bw", "size": one["results"]["MsgSize"], "iters": one["results"]["n_iterations"],
             "bw_avg_MBps": megabytes(one)} for device, one in results.items() if one]


def by_wire(machines, runs, wires):
    """Where there is another machine, it is the client: all that was written came by its wire, if it has one."""
    written = sum(one["perftest"]["size"] * one["perftest"]["iters"] for one in runs if one["result"] == "ok") if wires else 0
    return all(one["kernel"] and one["device"] and (one["in_octets"] or 0) >= written for one in machines or [])


def report(run, qemu):
    """(document, whether all is as it has to be)"""
    job = run / "job"
    iommu = (job / "iommu").read_text().strip()
    topology = topologies.of(run)
    planned, runs = jsonl.read(job / "plan"), []
    for row in planned:
        seen = evidence(run, row)
        if seen:
            runs.append(judged(row, seen, document(run / "wire" / f"{row['id']}.json"), iommu, topologies.link_layer(topology)))
    machines = topologies.machines(run)
    return {"kernel": (job / "kernel").read_text().strip(), "qemu": qemu, "iommu": iommu, "topology": topology, "machines": machines,
            "runs": runs, "host_memory": host_memory(job)}, \
        len(runs) == len(planned) and all(one["as_expected"] for one in runs) and by_wire(machines, runs, topologies.wires(topology))


def main():
    what, run = sys.argv[1], Path(sys.argv[2])
    if what == "wire":
        iommu = (run / "job/iommu").read_text().strip()
        for row in jsonl.read(run / "job/plan"):
            seen = evidence(run, row)
            if seen:
                print(row["id"], wire(row, seen, iommu))
            else:
                print(f"run {row['id']} ({row['target']}): the guest left no result", file=sys.stderr)
        return 0
    result, good = report(run, sys.argv[3])
    print(json.dumps(result, indent=2))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

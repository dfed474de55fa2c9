# SPDX-License-Identifier: GPL-2.0-only
"""What is in the document of ./tph run, for the commands that list and compare documents (testbed/sandbox/documents.py)."""
from testbed.sandbox import documents, hints


def name(row):
    return f"{row['target']} {row['st_mode']}/{row['width']}, {hints.asked(row['requested'])}"


def headline(document):
    good = sum(row["as_expected"] for row in document["runs"])
    return documents.verdicts(good, len(document["runs"]) - good)


def figures(document):
    result = {name(row): (row["perftest"]["bw_avg_MBps"], "MB/s") for row in document["runs"]
              if row["perftest"]["bw_avg_MBps"] is not None}
    for row in document["host_memory"] or []:
        result[f"host memory, {row['device']}"] = (row["bw_avg_MBps"], "MB/s")
    return result


def states(document):
    return {name(row): " ".join(filter(None, [row["result"], row["errno"], None if row["as_expected"] else "NOT AS EXPECTED"]))
            for row in document["runs"]}

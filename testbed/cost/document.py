# SPDX-License-Identifier: GPL-2.0-only
"""What is in the document of ./tph cost, for the commands that list and compare documents (testbed/sandbox/documents.py)."""


def headline(document):
    return f"medians of {document['runs']} runs"


def figures(document):
    result = {}
    for row in document["registration"]:
        for what in ("register", "deregister"):
            result[f"{what}, {row['kind']}, {row['kernel']} kernel"] = (row[what]["median"] / 1000, "us")
    for row in document["many"]:
        result[f"register, {row['count']} regions on {row['device']}, tags: {row['tags']}"] = (row["register"]["median"] / 1000, "us")
    for row in document["traffic"]:
        result[f"{row['size']} bytes, {row['hint']}"] = (row["MBps"]["median"], "MB/s")
        result[f"{row['size']} bytes, {row['hint']}, rate"] = (row["messages_per_s"]["median"], "messages/s")
    for name, ratio in document["ratios"].items():
        if ratio:
            result[name] = (ratio["median"], "ratio")
    return result


def states(document):
    return {f"{row['count']} regions on {row['device']}, tags: {row['tags']}": f"{row['hinted']} hinted, {row['fallback']} without"
            for row in document["many"]}

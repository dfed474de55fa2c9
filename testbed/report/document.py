# SPDX-License-Identifier: GPL-2.0-only
"""What is in the document of ./tph report, for the commands that list and compare documents (testbed/sandbox/documents.py)."""


def headline(document):
    wrong = len(document["wrong"])
    return f"medians of {document['repeats']} runs" + (f", {wrong} NOT as it has to be" if wrong else "")


def figures(document):
    names = {one["id"]: one["name"] for one in document["series"]}
    return {f"{document[metric]['title']}, {names[point['series']]}, {point['size']} bytes": (point["median"], document[metric]["unit"])
            for metric in ("bandwidth", "latency") for point in document[metric]["points"]}


def states(document):
    return {text: "NOT as it has to be" for text in document["wrong"]}

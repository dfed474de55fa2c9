# SPDX-License-Identifier: GPL-2.0-only
"""What is in the document of ./tph bench, for the commands that list and compare documents (testbed/sandbox/documents.py)."""


def headline(document):
    wrong, other = len(document["wrong"]), len(document.get("requests", {}).get("wrong", []))
    return (f"medians of {document['rounds']} rounds" + (f", {wrong} figures MISSING" if wrong else "") +
            (f", {other} counts DIFFER from the trace" if other else ""))


def figures(document):
    result = {}
    for row in document["measures"]:
        name = f"{row['name']}, {row['size']} bytes, {row['qps']} QPs"
        for system, one in row["systems"].items():
            result[f"{name}: {system}"] = (one["median"], row["unit"])
        for key, one in row["ratios"].items():
            result[f"{name}: ratio to {key}"] = (one["median"], "ratio")
    return result


def states(document):
    return {**{text: "MISSING" for text in document["wrong"]},
            **{text: "DIFFERS from the trace" for text in document.get("requests", {}).get("wrong", [])}}

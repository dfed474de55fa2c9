# SPDX-License-Identifier: GPL-2.0-only
"""What is in the document of ./tph example, for the commands that list and compare documents (testbed/sandbox/documents.py)."""
from testbed.sandbox import documents


def headline(document):
    return documents.verdicts(document["passed"], document["failed"])


def figures(document):
    return {f"{row['example']} on {row['device']}, {what}": (sum(one[what] for one in row["completer"]), "TLPs")
            for row in document["runs"] for what in ("writes", "reads")}


def states(document):
    return {f"{row['example']} on {row['device']}": "; ".join([row["verdict"]] + row["causes"]) for row in document["runs"]}

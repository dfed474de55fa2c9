# SPDX-License-Identifier: GPL-2.0-only
"""What is in the document of ./tph matrix, for the commands that list and compare documents (testbed/sandbox/documents.py)."""
from testbed.sandbox import documents, hints


def name(cell):
    return f"{cell['program']}: {cell['target']} {cell['operation']} {cell['mode']}/{cell['width']}, {hints.asked(cell['requested'])}, " \
        f"{cell['size']} bytes x {cell['qps']} QPs"


def headline(document):
    return documents.verdicts(document["passed"], document["failed"])


def figures(document):
    return {what: (document[what], unit) for what, unit in
            (("bytes", "bytes"), ("tlps", "TLPs"), ("mismatches", "bytes"), ("wrong_hint", "TLPs"), ("refused", "cells"))}


def states(document):
    return {name(cell): "; ".join([cell["verdict"]] + cell["causes"]) for cell in document["cells"]}

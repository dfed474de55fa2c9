# SPDX-License-Identifier: GPL-2.0-only
"""What is in the document of ./tph conformance, for the commands that list and compare documents (testbed/sandbox/documents.py)."""


def headline(document):
    return ", ".join(f"{sum(one[what] for one in document['suites'])} {what}" for what in ("passed", "failed"))


def figures(document):
    return {f"{one['name']} on {one['device']}, {what}": (one[what], "cases")
            for one in document["suites"] for what in ("passed", "failed")}


def states(document):
    result = {}
    for one in document["suites"]:
        where = f"{one['name']} on {one['device']}: "
        result.update({where + case: "pass" for case in one["passes"]})
        result.update({where + case["case"]: f"fail: {case['cause']}" for case in one["failures"]})
    return result

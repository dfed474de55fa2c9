# SPDX-License-Identifier: GPL-2.0-only
"""What is in the document of ./tph conformance, for the commands that list and compare documents (testbed/sandbox/documents.py)."""


def place(suite):
    """Suite and device for people; the link layer where it is another one than HCAs had before there was a choice."""
    ethernet = suite["device"] != "rxe0" and suite.get("link_layer") == "Ethernet"
    return f"{suite['name']} on {suite['device']}{', Ethernet' if ethernet else ''}"


def headline(document):
    return ", ".join(f"{sum(one[what] for one in document['suites'])} {what}" for what in ("passed", "failed"))


def figures(document):
    result = {f"{place(one)}, {what}": (one[what], "cases") for one in document["suites"] for what in ("passed", "failed")}
    result.update({f"{one['name']} together, {what}": (one[what], "cases")
                   for one in document.get("together", ()) for what in ("passed", "failed")})
    return result


def states(document):
    result = {}
    for one in document["suites"]:
        where = f"{place(one)}: "
        result.update({where + case: "pass" for case in one["passes"]})
        result.update({where + case["case"]: f"fail: {case['cause']}" for case in one["failures"]})
    return result

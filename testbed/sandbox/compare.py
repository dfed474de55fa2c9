# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: two documents of one kind side by side.

Usage: compare NAME-A FILE-A NAME-B FILE-B JSON-FILE; tables go to standard output.
"""
import json
import sys
from pathlib import Path

from testbed.sandbox import documents
from testbed.sandbox.table import figure, table

# What makes figures differ.
CIRCUMSTANCES = ("tph", "commit", "date", "kernel", "qemu", "iommu", "topology")
# What documents of earlier versions, which do not say it, are of.
EARLIER = {"topology": "ib"}


def compare(a, b):
    """What differs, as the document of ./tph compare."""
    kind = documents.kind(a)
    if documents.kind(b) is not kind:
        raise documents.Error(f"one is of {a['document']}, the other of {b['document']}")
    figures_a, figures_b = kind.figures(a), kind.figures(b)
    states_a, states_b = kind.states(a), kind.states(b)
    both = [name for name in figures_a if name in figures_b]
    return {
        "kind": a["document"],
        "circumstances": [{"what": key, "a": one, "b": other} for key in CIRCUMSTANCES
                          if (one := a.get(key, EARLIER.get(key))) != (other := b.get(key, EARLIER.get(key)))],
        "figures": [{"name": name, "unit": figures_a[name][1], "a": figures_a[name][0], "b": figures_b[name][0],
                     "ratio": figures_b[name][0] / figures_a[name][0] if figures_a[name][0] else None} for name in both],
        "changed": [{"name": name, "a": states_a[name], "b": states_b[name]}
                    for name in states_a if name in states_b and states_a[name] != states_b[name]],
        "only_a": sorted((set(figures_a) - set(figures_b)) | (set(states_a) - set(states_b))),
        "only_b": sorted((set(figures_b) - set(figures_a)) | (set(states_b) - set(states_a)))}


def lines(result, name_a, name_b):
    """RESULT of compare() for people."""
    out = [f"A is {name_a}, B is {name_b} ({result['kind']})"]
    out += table([[f"  {one['what']}", one["a"], one["b"]] for one in result["circumstances"]])
    if result["figures"]:
        out += [""] + table([["", "", "A", "B", "B / A"]] + [
            [one["name"], one["unit"], figure(one["a"]), figure(one["b"]), figure(one["ratio"])] for one in result["figures"]],
            right=(2, 3, 4))
    out += ["", "nothing changed from one verdict to another" if not result["changed"] else "changed:"]
    out += [f"  {one['name']}: {one['a']} -> {one['b']}" for one in result["changed"]]
    for key, name in (("only_a", "A"), ("only_b", "B")):
        out += [f"only in {name}: {one}" for one in result[key]]
    return out


def main():
    name_a, file_a, name_b, file_b, json_file = sys.argv[1:]
    try:
        result = compare(documents.read(name_a, file_a), documents.read(name_b, file_b))
    except documents.Error as error:
        sys.exit(f"tph compare: {error}")
    except KeyError as error:
        sys.exit(f"tph compare: one of the documents lacks {error}")
    print("\n".join(lines(result, name_a, name_b)))
    Path(json_file).write_text(json.dumps({"a": name_a, "b": name_b, **result}, indent=2) + "\n")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-2.0-only
"""Holds JSON documents against docs/json.md: every member of a document is described there with its type, and every
member that is described is in the document.

Usage: described.py DOCS-JSON-MD FILE...; says what differs, and ends with status 1 then.

A section of the page has the name of its document; its table has a row for each member, as
    | `runs[].mkey.st` | number or null | what it is |
[] stands for the elements of a list, .* for any name. A type of several alternatives has 'or' between them; 'object' and 'list'
alone do not say what is in them. '(may be missing)' behind the type says so. What all documents have is in the first section.
"""
import json
import re
import sys
from pathlib import Path

TYPES = {"string": str, "number": (int, float), "boolean": bool, "null": type(None), "object": dict, "list": list}
ROW = re.compile(r"\| `([^`]+)` \| ([a-z ]+?)( \(may be missing\))? \| (.+) \|$")


class Node:
    """A member: its types, whether it may be missing, and the members below it."""

    def __init__(self):
        self.types, self.optional, self.below = set(), False, {}


def sections(page):
    """{document: Node} of the page's tables; members of the first section are in all."""
    result, first, current = {}, None, None
    for line in page.splitlines():
        if line.startswith("## "):
            current = Node()
            current.types = {"object"}
            if first is None:
                first = current
            else:
                result[line[3:].strip("`")] = current
        elif current is not None and (match := ROW.match(line)):
            node = current
            for part in match[1].replace("[]", ".[]").split("."):
                node = node.below.setdefault(part, Node())
            node.types = set(match[2].split(" or "))
            node.optional = bool(match[3])
            unknown = node.types - set(TYPES)
            if unknown:
                raise ValueError(f"docs: {match[1]}: no type {', '.join(unknown)}")
    for node in result.values():
        node.below = {**first.below, **node.below}
    return result


def is_a(value, name):
    return isinstance(value, TYPES[name]) and not (name == "number" and isinstance(value, bool))


def differences(value, node, path=""):
    """What of VALUE is not as NODE says, in lines."""
    types = node.types or ({"list"} if "[]" in node.below else {"object"})
    if not any(is_a(value, name) for name in types):
        yield f"{path or 'document'} is {json.dumps(value)[:40]}, not {' or '.join(sorted(types))}"
    elif isinstance(value, list) and "[]" in node.below:
        for element in value:
            yield from differences(element, node.below["[]"], path + "[]")
    elif isinstance(value, dict) and node.below:
        for name, member in value.items():
            below = node.below.get(name) or node.below.get("*")
            if below is None:
                yield f"{path + '.' if path else ''}{name} is not described"
            else:
                yield from differences(member, below, f"{path + '.' if path else ''}{name}")
        for name, below in node.below.items():
            if name not in value and name != "*" and not below.optional:
                yield f"{path + '.' if path else ''}{name} is described, but missing"


def check(page, document):
    """Lines of what is wrong with DOCUMENT, each once."""
    described = sections(page)
    name = document.get("document") if isinstance(document, dict) else None
    if name not in described:
        return [f"no document {name!r} is described"]
    return list(dict.fromkeys(differences(document, described[name])))


def main():
    page = Path(sys.argv[1]).read_text()
    wrong = [f"{path}: {line}" for path in sys.argv[2:] for line in check(page, json.loads(Path(path).read_text()))]
    sys.stdout.writelines(line + "\n" for line in wrong)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

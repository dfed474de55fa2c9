#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Fields of structures are read and filled in by their names, never by bare numbers.

Usage: fields.py FILE... A use is bare when the place in field_get(), field_put(), be32_at() and the like is a number, or has
one added to it; names that stand for numbers are in hca/layout.h, qp.h and mkc.h. Exit status 1 when there are bare uses."""
import re
import sys

USE = re.compile(r"\b(field_get|field_put|be(?:16|32|64)_(?:at|put))\(")
NUMBER = re.compile(r"(?:0x[0-9a-fA-F]+|\d+)[uUlL]*$")


def arguments(text, at):
    """Those of the call whose opening bracket ends at @at, as they are written."""
    depth, found, current = 1, [], ""
    for character in text[at:]:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if not depth:
            break
        if character == "," and depth == 1:
            found.append(current.strip())
            current = ""
        else:
            current += character
    return found + [current.strip()]


def is_bare(call, values):
    places = values[1:2]
    if call.startswith("field_"):
        # A name is all of the place: dword, high bit and low bit. Whoever walks a table has them apart.
        places = values[1:4] if len(values) > (2 if call == "field_get" else 3) else []
    return any(NUMBER.match(term.strip()) for place in places for term in re.split(r"[+-]", place))


def bare(text):
    """Lines with a bare use, and the use."""
    found = []
    for match in USE.finditer(text):
        values = arguments(text, match.end())
        if len(values) > 1 and is_bare(match.group(1), values):
            found.append((text.count("\n", 0, match.start()) + 1, "%s(%s)" % (match.group(1), ", ".join(values))))
    return found


def main():
    failed = False
    for file in sys.argv[1:]:
        with open(file, encoding="utf-8") as stream:
            for line, use in bare(stream.read()):
                print("%s:%d: %s" % (file, line, use))
                failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()

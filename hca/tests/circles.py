#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""No files of hca/ call each other in a circle: each can be read, and tested, with those below it alone.

Usage: circles.py NM LIBRARY. Takes the symbols of the objects in the static LIBRARY, as NM prints them. Exit status 1, and
the calls that make them, when there are circles."""
import re
import subprocess
import sys

DEFINED = "TDRBVWC"


def symbols(text):
    """Object: (symbols it has, symbols it needs), from what "nm -A" prints."""
    objects = {}
    for line in text.splitlines():
        match = re.match(r".*?([^:/]+)\.c\.o: *(?:[0-9a-f]+)? ([A-Za-z]) (\S+)$", line)
        if not match:
            continue
        name, kind, symbol = match.groups()
        has, needs = objects.setdefault(name, (set(), set()))
        if kind == "U":
            needs.add(symbol)
        elif kind in DEFINED:
            has.add(symbol)
    return objects


def calls(objects):
    """Caller: {callee: symbols}."""
    owner = {symbol: name for name, (has, _) in objects.items() for symbol in has}
    graph = {name: {} for name in objects}
    for name, (_, needs) in objects.items():
        for symbol in needs:
            callee = owner.get(symbol, name)
            if callee != name:
                graph[name].setdefault(callee, set()).add(symbol)
    return graph


def reachable(graph, start):
    found, todo = set(), [start]
    while todo:
        for callee in graph[todo.pop()]:
            if callee not in found:
                found.add(callee)
                todo.append(callee)
    return found


def circles(graph):
    """Sets of files each of which reaches all others, and itself."""
    reach = {name: reachable(graph, name) for name in graph}
    found = []
    for name in sorted(graph):
        circle = {other for other in reach[name] if name in reach[other]}
        if circle and circle not in found:
            found.append(circle)
    return found


def way_round(graph, start):
    """The shortest list of files from @start back to it, each needing the next; None: there is none."""
    ways, seen = [[start]], set()
    while ways:
        way = ways.pop(0)
        for callee in sorted(graph[way[-1]]):
            if callee == start:
                return way + [start]
            if callee not in seen:
                seen.add(callee)
                ways.append(way + [callee])
    return None


def report(graph):
    """For each circle its files and the shortest way round: where there was none before, the new call is in it."""
    lines = []
    for circle in circles(graph):
        way = min((way_round(graph, name) for name in sorted(circle)), key=len)
        lines.append("a circle of %d files: %s" % (len(circle), " ".join(sorted(circle))))
        for caller, callee in zip(way, way[1:]):
            lines.append("  %s.c needs %s of %s.c" % (caller, ", ".join(sorted(graph[caller][callee])), callee))
    return lines


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    nm, library = sys.argv[1:]
    graph = calls(symbols(subprocess.run([nm, "-A", library], check=True, capture_output=True, text=True).stdout))
    if not any(graph.values()):
        sys.exit("%s: no calls between its objects: is that the library?" % library)
    lines = report(graph)
    if lines:
        sys.exit("\n".join(lines))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: lines added by the series, with what gcov counted in all boots together. A branch is one way that a jump can go;
inline functions are counted once, whichever object they were compiled into.

Usage: report ADDED EXCEPTIONS GCOV, to standard output. ADDED has file, number and text of each line, EXCEPTIONS is
kernel/coverage-exceptions, both with tabs; GCOV has JSON documents of gcov, one after another.
"""
import json
import re
import sys
from pathlib import Path

# What the macros of tracepoints expand to has branches that nobody wrote.
TRACEPOINT = re.compile(r"(TRACE_EVENT|DECLARE_EVENT_CLASS|DEFINE_EVENT)\(")


def documents(text):
    """The JSON documents in TEXT."""
    decoder, blanks = json.JSONDecoder(), re.compile(r"\s*")
    at = blanks.match(text).end()
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        yield document
        at = blanks.match(text, at).end()


def added_lines(text):
    rows = [line.split("\t", 2) for line in text.splitlines() if line]
    return [{"file": file, "line": int(number), "text": rest.strip(" \t")} for file, number, rest in rows]


def exceptions(text):
    """What cannot run, with its reason: lines (branches is 0), and of lines that run how many branches."""
    rows = (line.split("\t") for line in text.splitlines() if line and line[0] != "#")
    return [{"file": file, "function": function, "text": line, "branches": 0 if number == "line" else int(number), "reason": reason}
            for file, function, line, number, reason in rows]


def place(row):
    return row["file"], row["function"], row["text"]


def counted(gcov, files):
    """{(file, line): count, function and {(function, number): count} of the branches}, of every object and boot, for the FILES."""
    result = {}
    for one in (file for document in gcov for file in document["files"]):
        name = re.sub("^.*/src/", "", one["file"])
        for line in one["lines"] if name in files else []:
            row = result.setdefault((name, line["line_number"]), {"count": 0, "function": None, "branches": {}})
            row["count"] += line["count"]
            row["function"] = line.get("function_name")
            for number, branch in enumerate(line.get("branches") or []):
                key = (row["function"], number)
                row["branches"][key] = row["branches"].get(key, 0) + branch["count"]
    return result


def percent(part, whole):
    return 100 if whole == 0 else part * 1000 // whole / 10


def summed(rows):
    lines, branches = len(rows), sum(len(row["branches"]) for row in rows)
    run, taken = sum(row["count"] > 0 for row in rows), sum(count > 0 for row in rows for count in row["branches"])
    return {"lines": lines, "lines_run": run, "branches": branches, "branches_taken": taken,
            "lines_percent": percent(run, lines), "branches_percent": percent(taken, branches)}


def chosen(rows, *keys):
    return [{key: row[key] for key in ("file", "line", "function", "text", *keys)} for row in rows]


def report(added, unreachable, gcov):
    """What ran of the ADDED lines; UNREACHABLE are the exceptions."""
    counts = counted(gcov, {line["file"] for line in added})
    reasons = {place(one): one["reason"] for one in unreachable if not one["branches"]}
    never_taken = {place(one): one for one in unreachable if one["branches"]}
    rows = []
    for line in added:
        count = counts.get((line["file"], line["line"]))
        if count:
            row = {**line, "function": count["function"], "count": count["count"],
                   "branches": [] if TRACEPOINT.match(line["text"]) else list(count["branches"].values())}
            rows.append({**row, "reason": reasons.get(place(row))})
    judged = [row for row in rows if row["reason"] is None or row["count"] > 0]
    # What is said of a line that is gone, that runs after all, or of which other branches are taken, is wrong.
    run = {place(row) for row in rows if row["count"] > 0}
    right = {(where, 0) for where in {place(row) for row in rows} - run}
    not_counted = []
    for row in judged:
        one = never_taken.get(place(row))
        if row["count"] > 0 and one and row["branches"].count(0) == one["branches"]:
            right.add((place(row), one["branches"]))
            row["branches"] = [count for count in row["branches"] if count]
            not_counted.append({**row, "reason": one["reason"]})
    return {"total": summed(judged),
            "files": [{"file": file, **summed([row for row in judged if row["file"] == file])} for file in sorted({row["file"] for row in judged})],
            "not_run": chosen(row for row in judged if row["count"] == 0),
            "not_taken": chosen((row for row in judged if row["count"] > 0 and 0 in row["branches"]), "branches"),
            "unreachable": chosen((row for row in rows if row["reason"] is not None and row["count"] == 0), "reason"),
            "never_taken": chosen(not_counted, "reason"),
            "wrong_exceptions": [one for one in unreachable if (place(one), one["branches"]) not in right]}


def main():
    added, excepted, gcov = (Path(name).read_text() for name in sys.argv[1:])
    print(json.dumps(report(added_lines(added), exceptions(excepted), documents(gcov)), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()

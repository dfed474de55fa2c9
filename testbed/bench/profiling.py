# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the profile of ./tph bench, of what testbed/bench/profile.sh left."""
import re

FUNCTIONS_MOST = 40
SHARE = re.compile(r"^\s*([0-9.]+)%\s*\|(.*)\|(.*)\|\s*\[[^]]*\]\s*(.*)$")


def stat(line):
    """((program, thread's number), (name, ticks in user mode, in the kernel)) of a line "PROGRAM STAT"."""
    program, number, rest = line.split(" ", 2)
    # A name may have blanks and parentheses; the last one ends it.
    name, fields = rest[1:].rsplit(")", 1)
    fields = fields.split()
    return (program, int(number)), (name, int(fields[11]), int(fields[12]))


def threads(begin, end, ticks):
    """Seconds of processor time of each thread between BEGIN and END, the most first; TICKS are a second."""
    before = dict(map(stat, begin))
    result = []
    for key, (name, user, system) in map(stat, end):
        _, old_user, old_system = before.get(key, (name, 0, 0))
        result.append({"program": key[0], "thread": name, "user_s": (user - old_user) / ticks, "system_s": (system - old_system) / ticks})
    return sorted(result, key=lambda one: -(one["user_s"] + one["system_s"]))


def functions(lines):
    """Shares of all samples, the most first. What has no name, as translated code of the guest, is one for each thread."""
    shares = {}
    for line in lines:
        match = SHARE.match(line)
        if match:
            name = match[4].strip()
            thing = "JIT" if "[JIT]" in match[3] else match[3].strip()
            key = (match[2].strip(), thing, None if name.startswith("0x") else name)
            shares[key] = shares.get(key, 0) + float(match[1])
    found = sorted(shares.items(), key=lambda one: -one[1])[:FUNCTIONS_MOST]
    return [{"thread": key[0], "object": key[1], "function": key[2], "percent": round(share, 2)} for key, share in found]


def profile(directory, ticks):
    """The member profile of the document, or None when none was taken."""
    begin, end, found, missing = (directory / name for name in ("threads-begin", "threads-end", "functions", "functions-missing"))
    if not end.exists():
        return None
    return {"threads": threads(begin.read_text().splitlines(), end.read_text().splitlines(), ticks),
            "functions": functions(found.read_text(errors="replace").splitlines()) if found.exists() else [],
            "no_functions": missing.read_text().strip() if missing.exists() else None}

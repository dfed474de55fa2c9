# SPDX-License-Identifier: GPL-2.0-only
"""A devices file (tph-devices(5)), for those that plan."""


def parse(text):
    """{name: device} of the lines of TEXT that have a slot on the root bus; a device has kind, bdf and its properties, as strings."""
    result = {}
    for line in text.splitlines():
        kind, *words = line.split() or ["#"]
        if kind.startswith("#") or len(words) < 2 or ":" in words[1]:
            continue
        name, slot, *properties = words
        result[name] = {"kind": kind, "bdf": f"0000:00:{slot}.0", **dict(one.split("=", 1) for one in properties)}
    return result


def function(devices, st_mode, width):
    """Name of the first HCA function like that, besides the peer hca0."""
    return next(name for name, one in devices.items() if one["kind"] == "hca" and name != "hca0"
                and (one.get("st-mode"), one.get("st-width")) == (st_mode, str(width)))

# SPDX-License-Identifier: GPL-2.0-only
"""Hints: as they are asked for (st and st_ext, of which either may be missing, and ph) and as a TLP has one (ph, st, st_width)."""


def asked(requested, none="no hint"):
    """A requested hint as people say it; NONE when there is no tag."""
    parts = [f"ST {requested['st']}"] if requested.get("st") is not None else []
    parts += [f"Ext {requested['st_ext']}"] if requested.get("st_ext") is not None else []
    return " ".join(parts + [f"ph {requested['ph']}"]) if parts else none


def tag(requested, width):
    """The tag that a requester of WIDTH bits sends; None when there is none of that width, since tags are never converted."""
    return requested["st" if width == 8 else "st_ext"]


def order(hint):
    """A key to sort by, which is the same for the same hints; None, for no hint, comes first."""
    return tuple((hint or {}).get(key, -1) for key in ("st_width", "st", "ph"))

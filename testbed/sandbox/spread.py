# SPDX-License-Identifier: GPL-2.0-only
"""Medians and quartiles."""


def quantile(values, q):
    """Between the values around it, when there is none there."""
    values = sorted(values)
    at = (len(values) - 1) * q
    low = int(at)
    return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * (at - low)


def spread(values):
    """The object of docs/json.md; there is a value."""
    return {"median": quantile(values, 0.5), "q1": quantile(values, 0.25), "q3": quantile(values, 0.75), "runs": len(values)}

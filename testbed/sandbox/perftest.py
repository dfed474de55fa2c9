# SPDX-License-Identifier: GPL-2.0-only
"""Figures of perftest's documents (--out_json, member results), in the units of ours."""


def megabytes_per_s(results):
    """10^6 bytes per second; perftest has MiB."""
    return results["BW_average"] * 1.048576


def messages_per_s(results):
    """perftest has millions."""
    return results["MsgRate"] * 1e6

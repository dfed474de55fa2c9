# SPDX-License-Identifier: GPL-2.0-only
"""Topologies, for those that judge: testbed/topologies/README.md."""
from pathlib import Path

DIRECTORY = Path(__file__).parents[1] / "topologies"
# What the kernel calls the ports (link_layer in sysfs).
LINK_LAYERS = {"infiniband": "InfiniBand", "ethernet": "Ethernet"}


def parse(text):
    """{key: text} of the lines of a topology."""
    return dict(line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))


def link_layer(name):
    """That of the HCA functions' ports in the topology NAME."""
    return LINK_LAYERS[parse((DIRECTORY / name).read_text())["port"]]


def of(run):
    """The topology of a boot, whose directory is RUN."""
    return (run / "job/topology").read_text().strip()


def said(document):
    """What a table says of it; nothing of the usual one, which documents of earlier versions do not name."""
    name = document.get("topology", "ib")
    return "" if name == "ib" else f", topology {name}"

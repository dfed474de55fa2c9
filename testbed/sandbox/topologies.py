# SPDX-License-Identifier: GPL-2.0-only
"""Topologies, for those that judge: testbed/topologies/README.md."""
import json
from pathlib import Path

DIRECTORY = Path(__file__).parents[1] / "topologies"
# What the kernel calls the ports (link_layer in sysfs).
LINK_LAYERS = {"infiniband": "InfiniBand", "ethernet": "Ethernet"}


def parse(text):
    """{key: text} of the lines of a topology; machines, if it has some, is a list of such, and wires are a list."""
    result = one = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        key, value = line.split(" ", 1)
        if key == "machine":
            one = {"name": value}
            result.setdefault("machines", []).append(one)
        elif key == "wire":
            result.setdefault("wires", []).append(value)
        else:
            one[key] = value
    return result


def others(name):
    """Names of the machines besides the first one."""
    return [one["name"] for one in parse((DIRECTORY / name).read_text()).get("machines", [])[1:]]


def elsewhere(name):
    """{device: machine} of the devices that machines besides the first one have."""
    return {device: one["name"] for one in parse((DIRECTORY / name).read_text()).get("machines", [])[1:]
            for device in one["devices"].split() if device != "none"}


def wires(name):
    """Whether what goes between its machines goes over wires, which count it; else it is within one emulator."""
    return bool(parse((DIRECTORY / name).read_text()).get("wires"))


def link_layer(name):
    """That of the HCA functions' ports in the topology NAME."""
    return LINK_LAYERS[parse((DIRECTORY / name).read_text())["port"]]


def of(run):
    """The topology of a boot, whose directory is RUN."""
    return (run / "job/topology").read_text().strip()


def machines(run):
    """The machines of a boot besides the first one, as documents have them: what each said of itself, and what its wire carried to the switch
    (in) and from it, as the first one's job has asked; null where nobody said it, or there is no wire. None: there are none."""
    switch = run / "job/switch"
    links = {one["name"]: one for one in json.loads(switch.read_text())["links"]} if switch.exists() else {}
    result = []
    for name in others(of(run)):
        files = [run / name / "job" / key for key in ("kernel", "place")]
        kernel, place = (path.read_text().strip() if path.exists() else None for path in files)
        result.append({"name": name, "kernel": kernel, "device": place and place.split()[0],
                       **{key: links.get(name, {}).get(key) for key in ("in", "in_octets", "out", "out_octets")}})
    return result or None


def said(document):
    """What a table says of it; nothing of the usual one, which documents of earlier versions do not name."""
    name = document.get("topology", "ib")
    more = "".join(f"; {one['name']}: Linux {one['kernel']}, {one['device']}" for one in document.get("machines") or [])
    return ("" if name == "ib" else f", topology {name}") + more

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Inputs that were made on purpose, into corpus/TARGET/NAME: one for each defect that was known when the
targets were written. What fuzzers found has no name but its hash. Usage: seeds.py [DIRECTORY]"""
import os
import re
import sys

import seeds_eth

here = os.path.dirname(os.path.abspath(__file__))


def op(opcode):
    """Place of a command in the model's table, which target_cmd.c counts in."""
    table, header = (open(os.path.join(here, "../hca/opcodes." + end)).read() for end in "ch")
    named = dict(re.findall(r"^\t(HCA_CMD_\w+) = (0x[0-9a-f]+),", header, re.M))
    return [int(named.get(o, o), 16) for o in re.findall(r"^\tOP\((\w+), ", table, re.M)].index(opcode)


# Operands as input.h takes them.
def power(n):
    return bytes([4, n])


MINUS_1 = bytes([6])


def hexa(text):
    return bytes.fromhex(text)


# target_umr.c: make a key, change it, use it. Contexts: flags, rights, start, length, page size.
NO_LIST = hexa("00")
WRITE_FAR = hexa("03 07 06")  # at 2^40

# Frames of hca/tests/test_eth_frame.c.
TCP4 = hexa("02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00 00 2c 12 34 40 00 40 06 00 00 c0 a8 00 01 c0 a8 00 c7"
            "03 e8 00 50 00 00 00 01 00 00 00 00 50 99 01 00 00 00 00 00 64 61 74 61")
UDP6 = hexa("02 00 00 00 00 02 02 00 00 00 00 01 86 dd 6a b0 00 00 00 0b 11 09 fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01"
            "fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 02 12 b7 00 35 00 0b 00 00 61 62 63")



# target_wqe.c: a QP of one side (its place among the types, twice, and the side), and what it sends; keys and addresses are the first ones.
def sent(who, op, length=6, av=None):
    far = b"\1\0" if op in (2, 3, 4, 5, 6) else b""
    local = bytes(16) + b"\2\0" if op in (5, 6) else bytes([0, 0x40, 0, 0, length])
    return bytes([0x10, who, op, 0]) + (b"" if av is None else bytes([av])) + far + local


def received(who, shared=False):
    return bytes([0x90, who | (0x20 if shared else 0), 0, 0, 6])


def later(who=0):
    return bytes([0xe8, 0xe0 | who, 0xff])


# As in seeds_eth.py.
def cable(*operands):
    return b"\xfe" + seeds_eth.cable(*operands)[1:]


def impaired(spec):
    return b"".join(b"\xfe" + seeds_eth.impaired(side, spec)[1:] for side in (0, 1))


RC, UC, UD, XRC, DCI = 0, 2, 4, 6, 8
CAPTURED = cable(0x16, 0) + cable(0x17, 8)
CONNECTED = received(1) * 6 + b"".join(sent(RC, op) + later() for op in (0, 2, 4, 5, 3, 6, 1, 4, 2))
OTHERS = received(UC | 1) * 3 + b"".join(sent(UC, op) + later() for op in (0, 2, 3)) + received(1, True) * 6 + b"".join(
    sent(XRC, op) for op in (0, 2, 4)) + later() + b"".join(sent(DCI, op, av=0) for op in (0, 2, 4, 5)) + later()
DATAGRAMS = received(UD | 1) * 6 + b"".join(sent(UD, op, 2, av) for op in (0, 1) for av in (2, 0x82, 0xc2)) + later()

seeds = {
    "wqe": {
        f"{name}-{what}": begin + traffic + end
        for name, begin, end in (
            ("bad-cable", impaired(seeds_eth.LOSSY), cable(2) + cable(0x80)), ("worse-cable", impaired(seeds_eth.WORSE), b""),
            ("captured", CAPTURED, cable(6)), ("captured-bad-cable", CAPTURED + impaired(seeds_eth.LOSSY), cable(0)))
        for what, traffic in (("connected", CONNECTED), ("others", OTHERS), ("datagrams", DATAGRAMS))
    },
    "umr": {
        "memic-length64": hexa("00 05 00 02 00 04 00 00") + NO_LIST + WRITE_FAR,
        "memic-moved-by-umr": hexa("01 00 03 00 02 00 00 02 00 00 06 00 00 00 07 03"),
        "umr-widens": hexa("09 00 01 00 04 00 00 01 0a 0c 20 00 00") + power(31) + hexa("06 00 06 02 00"),
        "memic-left-over": hexa("04 03 03 00"),
        "list-without-bound": hexa("00 02 08 00 00 00 00 00") + power(26) + NO_LIST + hexa("00 00")
        + hexa("01 00 08 10 00 01 00 00 00 00 00 05 1a"),
        "strided-hang": hexa("00 02 02 20 00 00") + power(40) + hexa("00 80") + MINUS_1
        + hexa("00 00 00 00 00 00 10") + power(30),
    },
    "cmd": {
        "umem-shift": bytes([0, 0x60, op(0xA08)]) + hexa("1f 03 01 00"),
    },
    "vfio": {
        "pipe-as-event": hexa("00 00 07 01 05 00 d0"),
        "full-event": hexa("00 00 07 01 04 00 00 07 00 01"),
        "file-shrinks": hexa("00 00 00 01 01 00 00 e8 a0 01 00 10 00"),
        "dma-unanswered": hexa("00 a0 00 00 10 ff f0"),
    },
    "tlp": {
        "astray-wraps": hexa("02 00 d8 00 1d 03 10 00 00 00 07 fc ff ff ff bf ff ff ff 08 00"),
    },
    # An operation (frame, segment, WQE), then the bytes; segments have header, index, offset and "last" in front.
    "frame": {
        "tcp": b"\0" + TCP4,
        "udp-tagged": b"\0" + UDP6[:12] + hexa("81 00 60 64") + UDP6[12:],
        "options": b"\0" + UDP6[:20] + hexa("3c") + UDP6[21:54] + hexa("11 00 00 00 00 00 00 00") + UDP6[54:],
        "segment": hexa("01 36 00 03 00 e8 03 00 00 01") + TCP4,
        "segment-udp": hexa("01 3e 00 00 00 00 00 00 00 00") + UDP6,
        "send": hexa("02 00 00 00 0a 00 00 01 04 00 00 00 08 00 00 00 00" "00 00 00 00 c0 00 00 00 00 00 00 00 00 12 02 00"
                     + "00 " * 16 + "00 00 00 40 00 00 01 00 00 00 00 00 00 00 10 00"),
        "long": hexa("02 00 00 00 0e 00 00 01 03 00 00 00 08 00 00 00 00" "00 00 00 00 c0 00 05 b4 00 00 00 00 00 02 02 00"
                     "00 00 40 00 00 00 01 00 00 00 00 00 00 00 10 00"),
    },
    # Vectors of packet/tests/vectors.h, behind a byte that says on which link they are.
    "packet": {
        name: bytes([2 if link == "true" else 0]) + hexa(re.sub(r'[" \n\t]', "", digits))
        for name, link, digits in re.findall(
            r'\{ "(\w+)",\s+(true|false),\s+((?:"[0-9a-f ]+"\s*)+),',
            open(os.path.join(here, "../packet/tests/vectors.h")).read())
    },
    "eth": seeds_eth.seeds,
    # Behind \0 a spec; behind \1 a line: a spec, room, then packets (kind, length), "get" a0, time c0, copies d8, report e0, spec f0, none f8.
    "impairment": {
        "all": b"\0loss=0.1% dup=0.001+reorder=1e-3 ecn=100% biterror=1e-12 delay=50us jitter=1.5us rate=10Gbit seed=7",
        "units": b"\0delay=1s+jitter=2ns+rate=9kbit",
        "one-share": b"\0loss=1e-15",
        **{name: b"\0" + text for name, text in {
            "no-value": b"loss", "no-key": b"los=1", "nothing": b" + ", "long": b"loss=1%" * 40, "share": b"loss=101%", "small": b"loss=1e-18",
            "unit": b"delay=5", "time": b"delay=11s", "rate": b"rate=1bit", "seed": b"seed=", "seed-max": b"seed=18446744073709551616",
            "exponent": b"dup=1e-19", "exponent-2": b"dup=1e+1", "digits": b"ecn=0.1234567890123456", "point": b"ecn=1.", "share-unit": b"ecn=1us",
            "time-digit": b"jitter=us", "jitter": b"jitter=1ms", "strange": b"\x1b[31mloss=1%-and-more-than-thirty-two-bytes=1",
        }.items()},
        "line": b"\1\x3f\x07\x40\x40\x80\x40\x40\x08\x00\x01\x20" + hexa("00 01 40 00" "01 02 64 00" "a0" "c1 ff ff") * 30
        + hexa("e0 ff a0 c3 ff ff a0 f8 a0"),
        "slow": b"\1\xe2\x01\x80\x00\x10\xff\x00\x00\x00\x08" + hexa("00 00 00 ff") * 20 + hexa("a0 c8 ff ff a0 e0 10 d9")
        + hexa("00 00 40 00") * 10 + hexa("f0 04 01 ff") + hexa("00 00 40 00") * 30 + hexa("e0 ff cf ff ff a0"),
        "out-of-order": b"\1\x04\x01\xff\xff" + hexa("00 00 40 00") * 40 + hexa("a0 f8 a0"),
        "left-over": b"\1\x24\x01\xff\xff\xff\xff" + hexa("00 00 40 00") * 20,
        "no-room": b"\1\0\0\0",
    },
    # Link type and name of an interface; then operations: interface 0, statistics 2, another block 4, bytes 6, a change 7, a cut 8,
    # a packet 9 with flags, interface if there are several, time, length and data, its length on the wire, a comment.
    "capture": {
        "packets": hexa("00 f7 00 04") + b"hca0" + hexa("09 01 01 02 03 04 05 06 07 08 05") + b"hello"
        + hexa("00 01 00 02 65 1b 09 1a 01 00 00 00 00 00 00 00 00 04") + b"abcd" + hexa("2c 00 05") + b"a\x1bbcd"
        + hexa("02 05 00 00 00 02 00 00 00"),
        "other-blocks": hexa("00 01 00 01") + b"e" + hexa("04 0b 00 00 00 08 01 02 03 04 05 06 07 08 04 07 00 00 00 00 09"),
        "no-such-interface": hexa("00 01 00 01") + b"e" + hexa("09 80 01"),
        "section-again": hexa("00 01 00 01") + b"e" + hexa("04 0a 0d 0d 0a 10 4d 3c 2b 1a 01"),
        "interfaces": hexa("00 01 00 01") + b"e" + hexa("00 01 00 00") * 64 + hexa("09"),
        "length-of-block": hexa("00 01 00 00 09 04 00 00 00 00 00 00 00 00 20 07 54 00 02 ff ff ff"),
        "cut": hexa("00 01 00 00 09 04 00 00 00 00 00 00 00 00 20 08 0c"),
        # The writers (captures.c): with a thread 06, without 02; the file: plain 0, fixed 1, rigid 2, full 3. With a thread: how, what
        # goes with it, the file's size; operations: 64 KiB many times 0, start 1, status 2, a packet with flags and length.
        "writer": hexa("06 00 05 20 00 00 03 00 05 03 04 00 01 03 1f 40 00 20 00 02 01 03 20 03 60 03 80 03 42 00"),
        "writer-limit": hexa("06 00 06 00 02 00 00") + hexa("03 05 40 00") * 12 + hexa("02"),
        "writer-no-room": hexa("06 00 04 00 00 00 00 00"),
        "writer-fixed": hexa("06 01 04 00 04") + hexa("03 05 40 00 03 0a 20 30 00") * 12,
        "writer-fixed-far": hexa("06 01 04 60 ea 00 00 03 05 40 00"),
        "writer-fixed-limit": hexa("06 01 06 00 02 00 20") + hexa("03 05 40 00") * 12,
        "writer-fixed-flood": hexa("06 01 04 ff ff") + hexa("03 05 40 00") * 12 + hexa("00"),
        "writer-rigid": hexa("06 02 04 00 20") + hexa("03 05 40 00") * 24 + hexa("00"),
        "writer-full": hexa("06 03 04 00 00 03 05 40 00 02"),
        "writer-ends": hexa("06 00 00 00 00 03 05 40 00"),
        "direct": hexa("02 00 00 00 00 01 00 00 ff 01 00 00 00 01 00") + hexa("03 00 05 03 03 01 1f 40 00 20 00 03 01 20 03 00 60 03 00 80 03 02 02 02"),
        "direct-limit": hexa("02 00 01 00 01 00 00 01 00") + hexa("03 00 05 20 00") * 8 + hexa("02 00 00 01 00"),
        "direct-interfaces": hexa("02 00 00") + hexa("00 00 01 00") * 66,
        "direct-full": hexa("02 03 00 00 00 01 00 03 00 00 10 02 03 00 00 10 00 00 01 00"),
        "direct-full-late": hexa("02 03 00 00 00 01 00 03 00 00 10"),
        "direct-fixed": hexa("02 01 00 00 00 01 00") + hexa("03 00 45 00") * 3,
        "bytes": hexa("01 1c 0a 0d 0d 0a 1c 00 00 00 4d 3c 2b 1a 01 00 00 00 ff ff ff ff ff ff ff ff 1c 00 00 00"),
    },
    "tlpdump": {
        "many-flows": hexa("02 1f 01 00 00 00 00 00 ff 5f"),
    },
    "control": {
        "does-not-read": b"\x3f" + (b"\x01\xff" + b"\n" * 255) * 3,
        "requests": b"\0functions\nmark a\ncounts gpu0\nreset-counts gpu0\nmkey hca0\nclear-mkey hca0\n"
        b"link hca0 down\nlink hca0 up\nsubnet\nst-entries hca0 16\nst-entries hca0 99\nlink gpu0 up\nx\n",
    },
    "options": {
        "devices": b"--hca\nname=hca0,id=00:04.0,lid=1,socket=/a,st-mode=direct,st-width=16\n--gpu\n"
        b"name=gpu0,id=00:10.0,size=1M,socket=/b,completer=tph,acs=on\n--nvme\nname=n,id=0:1.0,socket=c\n"
        b"--control\n/c\n--trace\n/t\n",
        "hca": b"--hca\nname=h,id=00:04.0,lid=0xbffe,socket=/a,st-entries=64,device=0x1023,umr=limited,"
        b"firmware=no-odp\n",
        "help": b"--help\n",
        "too-many": b"--gpu\nname=a\n" * 9,
    },
}


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "corpus")
    for target, inputs in seeds.items():
        os.makedirs(os.path.join(top, target), exist_ok=True)
        for name, data in inputs.items():
            with open(os.path.join(top, target, name), "wb") as file:
                file.write(data)


main()

# SPDX-License-Identifier: GPL-2.0-only
"""Inputs of target_eth.c: what a driver and a switch do, step by step. An operation here has the name that it has there."""
import os
import re

here = os.path.dirname(os.path.abspath(__file__))

# Of frames and their destinations.
VLAN, RAW, BAD_SUM = 0x04, 0x10, 0x20
V6, TCP = 0x01, 0x02
TO_0, TO_1, TO_ALL, TO_GROUP = 0, 1, 3, 0x40


def opcodes():
    text = open(os.path.join(here, "target_eth.c")).read()
    return [int(op, 16) for op in re.findall(r"\{ (0x[0-9a-f]+), \w+, (?:true|false) \}", text)]


def word(value):
    return value.to_bytes(2, "little")


def command(opcode, *operands, side=0, flags=0, name=None, tail=b""):
    """NAME: the place of the object that it names. OPERANDS: as fill() takes them, behind a first byte that places queues."""
    named = b"" if name is None else bytes([name])
    return bytes([0, side | flags, opcodes().index(opcode)]) + named + bytes([0, *operands]) + tail


def frame(how, where=TO_1, payload=50):
    return bytes([how, where, payload])


def send(what, side=0, how=0, tail=b"", cs=0xc0):
    """TAIL: what `how` asks for before the flags of checksums."""
    return bytes([0x50, side | how]) + what + tail + (b"" if how & 0x10 else bytes([cs]))


def segments(what, side=0, tail=200, mss=100, long=True):
    return bytes([0x50, side | 2 | (4 if long else 0)]) + what + bytes([tail, 0xc0]) + word(mss - 1)


def receive(side=1, queue=0, count=4, size=None):
    how = side | queue << 1 | (count - 1) << 6 | (0 if size is None else 0x20)
    return bytes([0x70, how]) + (b"" if size is None else word(size)) * count


def both(side=1, **more):
    return receive(side, 0, **more) + receive(side, 1, **more)


def wire(what, side=1, how=0, tail=b""):
    return bytes([0x88, side | how]) + what + tail


def roce(how, payload=40, tail=b""):
    return bytes([how, payload]) + tail


def datagram(how=0, index=1, length=100, gid=b""):
    return bytes([0xa8, how, index]) + gid + word(length)


def connected(how, length=5000):
    return bytes([0xb8, how]) + word(length)


def qp_receive(side, qp, size=5):
    return bytes([0xc8, side | qp << 1 | size << 2])


def ports(how, tail=b""):
    return bytes([0xd8, how]) + tail


def cable(what, *operands):
    return bytes([0xe8, what, *operands])


RESET = bytes([0xfc, 0])
# Specs as input_spec() takes them: what it has, seed, then what it has.
LOSSY = (0x3f, 7, 40, 40, 60, 60, 40, 25, 200, 1)
WORSE = (0xff, 3, 90, 60, 120, 60, 90, 20, 0, 8, 0, 2, 255, 255)


def impaired(side, spec, polls=1):
    return cable(side | 5 << 1 | polls << 5, *spec)


def every_frame(to):
    return [frame(how, to) for how in (0, TCP, V6, V6 | TCP, VLAN, VLAN | TCP, VLAN | 0x08, RAW, BAD_SUM, BAD_SUM | TCP)]


# Objects made by user contexts, too, and destroyed in both orders.
def objects(flags):
    made = [command(0x816, flags=flags), command(0x912, 3, 0, flags=flags), command(0x912, 3, 1, flags=flags),
            command(0x913, 5, 0, flags=flags, name=0), command(0x904, 0, 0, flags=flags), command(0x904, 9, 0, 3, 0, 0, flags=flags),
            command(0x908, 3, 0, flags=flags), command(0x908, 5, 0, 0, flags=flags), command(0x908, 0xb, 0, 3, 0, 1, flags=flags),
            command(0x905, 0x04, flags=flags, name=1), command(0x905, 0x0d, flags=flags, name=1),
            command(0x905, 0x03, flags=flags, name=1), command(0x909, 0xa4, flags=flags, name=2),
            command(0x909, 0x00, flags=flags, name=2), command(0x907, flags=flags, name=0),
            command(0x90b, flags=flags, name=0), command(0x907, flags=flags, name=1), command(0x90b, flags=flags, name=2),
            command(0x916, 3, 0, 1, 2, flags=flags), command(0x917, 2, 0, 1, flags=flags, name=0),
            command(0x917, 0x1f, *[0] * 7, flags=flags, name=0),
            command(0x904, 9, 0, 2, 0, 0, flags=flags), command(0x908, 0xe1, 0, flags=flags), command(0x900, 0x80, 0x25, 0, 0, 0, flags=flags),
            command(0x900, 0, 0x20, 2, 0, 0, flags=flags), command(0x901, 0x14, 0x25, 0, 0, 0, flags=flags, name=0),
            command(0x901, 0x1f, 0x25, 0, 0, 0, flags=flags, name=0), command(0x903, flags=flags, name=0)]
    gone = [command(op, flags=flags, name=name) for op, name in
            ((0x902, 5), (0x902, 4), (0x902, 0), (0x918, 0), (0x918, 1), (0x90a, 2), (0x90a, 3), (0x90a, 0), (0x906, 1), (0x906, 0),
             (0x914, 1), (0x914, 0), (0x817, 1), (0x817, 0))]
    return made, gone


PPCNT = b"".join(command(0x805, 0x84, 0, 0, 0, group, *[0] * 8, side=1) for group in range(3))
# PMTU and PAOS, written: dword 2 has the MTU, byte 2 of PAOS the state.
PMTU = command(0x805, 0, *[0] * 8, 0x05, 0xee, 0, 0) + command(0x805, 0, *[0] * 8, 0xff, 0xff, 0, 0)
PAOS = [command(0x805, 2, 0, 0, state, 0, *[0] * 8) for state in (2, 1, 3)]
COUNTERS = b"".join(command(op, side=1) for op in (0x770, 0x750, 0x754))


def flow(opcode, *operands, side=1):
    return command(opcode, *operands, side=side)


def entry(index, group, what, *to, rx=True, matched=b"", change=()):
    """WHAT: destinations 3, tag 4, drop 0x18, allow 0x10, counter 0x20. TO: pairs of a kind (0: TIR, 0x80: table) and a place."""
    head = (1 if rx else 0) | (2 if matched else 0) | (0x20 if change else 0)
    return flow(0x936, head, 0, *change, index, group, *matched, what, *to, side=1 if rx else 0)


# A second table behind the first, which has groups at 0 to 5 and 6 to 11; groups of the second.
FLOW = [
    flow(0x930, 0x11, 2, 0), flow(0x930, 0x13, 1, 1), flow(0x930, 0x10, 1, 0), flow(0x932, 1, 0), flow(0x93c, 3, 0, 0, 1),
    flow(0x933, 1, 1, 0, 7), flow(0x933, 3, 1, 8, 3, 0x1f), flow(0x935, 1, 0, 1), flow(0x935, 1, 0, 2), flow(0x939, 1, 0),
]
ENTRIES = [
    entry(2, 1, 1, 0, 0, matched=frame(TCP, TO_ALL) + b"\x01"), entry(9, 2, 1, 0x80, 1), entry(10, 2, 0x10), entry(11, 2, 0x18),
    entry(7, 2, 0x21, 0, 0, 0), entry(6, 2, 7, 0, 0, 0, 1, 0, 2), entry(8, 2, 1, 0, 0), entry(8, 2, 1, 0, 3, change=(4,)),
    entry(8, 2, 1, 0x80, 1, change=(15,)), entry(8, 2, 0x21, 0, 1, 0, change=(15,)), flow(0x937, 1, 0, 7), flow(0x937, 1, 0, 8),
]
GOES = [flow(0x938, 1, 0, n) for n in (8, 9, 0, 2, 15)] + [flow(0x934, 1, 0, n) for n in (0, 1, 2)] + [
    flow(0x931, 1, 0), flow(0x931, 1, 1), flow(0x92f, 0x81, 0), flow(0x93b, 0), flow(0x93a, 1, 0, 0)]
OFF = command(0x755, 2, 0)
ON = command(0x755, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
LATER = ports(5 | 0x28, word(0x7fff))

seeds = {
    "frames": both() + b"".join(map(send, every_frame(TO_1))),
    "tagged": both() * 2 + b"".join(send(frame(how | VLAN, to)) for how in (0, TCP, V6) for to in (TO_1, TO_ALL, TO_1 | 0x80)),
    "from-the-wire": both() * 3 + b"".join(map(wire, every_frame(TO_1) + every_frame(TO_ALL))) + PPCNT + COUNTERS,
    "flood": receive() + b"".join(wire(frame(TCP, to | TO_GROUP), how=0xe0) for to in (0, 1, 4, 8)) + PPCNT,
    "cut-frames": both() * 2 + b"".join(wire(frame(TCP), how=8, tail=word(n)) for n in (3, 14, 20, 34, 40, 54, 60)),
    "odd-bytes": both() * 2 + b"".join(wire(frame(how), how=4, tail=word(at) + b"\xff") for how in (TCP, V6)
                                       for at in (6, 12, 14, 17, 20, 23, 40, 46)),
    "no-receives": wire(frame(TCP)) * 3 + COUNTERS,
    "short-receives": receive(size=20) + receive(queue=1, size=20) + b"".join(wire(frame(how)) for how in (0, TCP, RAW, V6)),
    "bad-receives": bytes([0x70, 0x11, 4, 9, 9, 9, 9]) + bytes([0x70, 0x13, 8, 9, 9, 9, 9]) + wire(frame(0)) * 2 + wire(frame(RAW)),
    "segments": both() * 2 + b"".join(segments(frame(how)) for how in (TCP, V6 | TCP, 0, V6)) + segments(frame(VLAN | TCP), mss=1400)
    + segments(frame(TCP), tail=10, long=False) + segments(frame(RAW)),
    "segments-too-long": segments(frame(TCP), tail=255, mss=4000) * 3,
    "bad-wqe": b"".join(bytes([0x50, 0x30]) + frame(TCP) + word(at) + b"\xff\xff\xff\xff" for at in (0, 20, 28, 44)),
    "long-frames": b"".join(bytes([0x50, how]) + frame(0x80, TO_1, 255) for how in (0x10, 0x10)) + wire(frame(0x80, TO_1, 255)),
    "objects": b"".join(objects(0)[0]),
    "objects-go": b"".join(objects(0)[0][:24] + objects(0)[1]),
    "objects-of-a-program": b"".join(objects(2)[0]),
    "objects-of-a-program-go": b"".join(objects(2)[0][:24] + objects(2)[1]),
    "objects-of-others": b"".join(command(op, *[0] * 6, flags=2, name=0) for op in (
        0x817, 0x901, 0x902, 0x903, 0x905, 0x906, 0x907, 0x909, 0x90a, 0x90b, 0x913, 0x914, 0x917, 0x918)),
    "registers": b"".join(command(0x805, write | which, *[0] * 12) for which in range(8) for write in (0x80, 0)) + PMTU,
    "short-registers": b"".join(command(0x805, 0x80 | which, *[0] * 12, 2, flags=flags) for which in range(6) for flags in (8, 0x10)),
    "port": both() + send(frame(0)) + PAOS[0] + send(frame(0)) + wire(frame(0), side=0) + COUNTERS + PAOS[1] + send(frame(0)) + PAOS[2],
    "cable": both() + ports(6 | 8) + send(frame(0)) + wire(frame(0)) + ports(6 | 0x18) + send(frame(0)) + ports(6) + send(frame(0))
    + ports(6 | 0x10) + ports(2) + wire(frame(0)) + ports(2 | 8) + wire(frame(0)),
    "stations": b"".join(wire(frame(RAW, 0x20) + bytes([i])) for i in range(6)) + ports(4) + ports(4 | 8) + ports(4 | 0x10)
    + ports(5 | 0xf8, b"\xff\xff") * 3 + ports(4) + wire(frame(RAW)) + ports(3),
    "ports": ports(0xf8) + wire(frame(0, TO_ALL)) + wire(frame(0), how=0x10) + ports(1) * 3 + ports(0xf8) + send(frame(RAW, TO_ALL)),
    "vport": command(0x755, 0xff, 0x0f, *range(8), 1, 0xee, 0x05) + COUNTERS + command(0x755, 0x40, 0, *[0] * 8, 1, 60, 0)
    + send(frame(0, TO_1, 200)) + wire(frame(0, TO_0, 200), side=0) + command(0x755, 0, 0, *[0] * 27, 8, 0, 0x80, 0, 0, 0, flags=4),
    "addresses": command(0x761, 0x42) + command(0x761, 0x02) + command(0x761, 0x4a, 1) + command(0x761, 0x80, 0x80, 0)
    + command(0x761, 0x51) + command(0x761, 0x22, *range(16)) + datagram(0, 1) + datagram(0, 2),
    "datagrams": qp_receive(1, 1) * 6 + b"".join(datagram(how, index) for how in (0, 2, 4, 8) for index in (0, 1)) + PPCNT,
    "datagrams-astray": qp_receive(1, 1) * 2 + qp_receive(0, 1) * 3 + datagram(0, 2) + datagram(0, 200) + datagram(0x20, 1, gid=bytes(16))
    + datagram(0x10, 1) + datagram(0x10, 0) + datagram(0x18, 1) + datagram(0, 1, 4000) + datagram(1, 0) + OFF + datagram() + datagram(1)
    + ON + datagram(),
    "datagrams-from-the-wire": qp_receive(1, 1) * 8 + b"".join(wire(roce(0x80 | how), how=2) for how in (
        0, 1, 2, 3, 4, 0x10, 0x11, 0x20, 0x21, 0x40)) + wire(roce(0x88, tail=b"\0"), how=2) + wire(roce(0x89, tail=b"\1"), how=2)
    + wire(roce(0x80), how=6, tail=word(60) + b"\1"),
    "datagrams-in-pieces": qp_receive(1, 1, 2) + wire(roce(0x81, 250), how=2) + qp_receive(1, 1, 0) + wire(roce(0x81, 250), how=2),
    "group": qp_receive(1, 1) * 3 + datagram(0x28, 1, gid=bytes(10) + bytes([255, 255, 239, 1, 2, 3])),
    "connected": qp_receive(1, 0, 7) * 4 + b"".join(map(connected, (0, 2, 4, 6, 1, 3, 5))) + connected(2, 0) + connected(4, 0),
    "connected-to-nobody": ports(6 | 8) + connected(2) + LATER + ports(6 | 0x18) + connected(2) + OFF + connected(4) + LATER * 3,
    "bad-cable": impaired(0, LOSSY) + impaired(1, LOSSY) + qp_receive(1, 0, 7) * 6
    + b"".join(connected(how, 16000) + LATER for how in (0, 2, 4, 6, 3, 5, 0, 2)) + cable(2) + cable(3) + cable(0x80) + LATER,
    "worse-cable": impaired(0, WORSE) + qp_receive(1, 0, 7) * 4 + b"".join(connected(how, 9000) + LATER for how in (0, 2, 4, 6)) + cable(0x80)
    + cable(2) + RESET,
    "captured": cable(0x16, 0) + cable(0x17, 2) + qp_receive(1, 0, 7) * 3 + both() + send(frame(TCP)) + b"".join(map(connected, (0, 2, 4)))
    + qp_receive(1, 1) + datagram() + wire(frame(0)) + cable(6) + connected(2),
    "flow-tables": b"".join(FLOW + ENTRIES) + both() + wire(frame(0)) + wire(frame(TCP, TO_ALL)) + wire(frame(TCP, 4)),
    "flow-goes": b"".join(FLOW + ENTRIES[:3] + GOES) + both() + wire(frame(0)),
    "flow-sent": flow(0x933, 0, 0, 0, 5, side=0) + flow(0x92f, 0, 0, side=0) + send(frame(0)) + entry(0, 1, 0x18, rx=False) + send(frame(0))
    + flow(0x930, 0, 3, 0, side=0) + flow(0x92f, 0x80, 0, side=0) + send(frame(0)),
    "reset": both() + send(frame(TCP)) + wire(frame(0)) + RESET + send(frame(0)) + wire(frame(0), side=0),
}

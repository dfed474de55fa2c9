#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
In the guest: frames by raw packet QPs of two functions, with rules of what is received.

Usage: raw.py DEVICE MAC DEVICE MAC: the first sends, the second receives. Exit status 1 and the cause when something else
comes than what a rule names.
"""
import sys
import time

from pyverbs.cq import CQ
from pyverbs.device import Context
from pyverbs.flow import Flow, FlowAttr
from pyverbs.libibverbs_enums import ibv_access_flags, ibv_qp_type, ibv_wc_status
from pyverbs.mr import MR
from pyverbs.pd import PD
from pyverbs.qp import QP, QPAttr, QPCap, QPInitAttr
from pyverbs.spec import EthSpec
from pyverbs.wr import SGE, RecvWR, SendWR

FRAMES = 16
SIZE = 2048
TYPE = 0x88b5


def octets(address):
    return bytes.fromhex(address.replace(':', ''))


def frame(to, sender, number):
    return octets(to) + octets(sender) + TYPE.to_bytes(2, 'big') + bytes((number * 7 + i) % 256 for i in range(90 * number + 60))


class End:
    """A raw packet QP of a device, ready to send, with as many receives as there are frames."""

    def __init__(self, device, receives):
        self.context = Context(name=device)
        self.pd = PD(self.context)
        self.cq = CQ(self.context, 4 * FRAMES)
        self.mr = MR(self.pd, FRAMES * SIZE, ibv_access_flags.IBV_ACCESS_LOCAL_WRITE)
        attr = QPInitAttr(qp_type=ibv_qp_type.IBV_QPT_RAW_PACKET, scq=self.cq, rcq=self.cq,
                          cap=QPCap(max_send_wr=FRAMES, max_recv_wr=FRAMES))
        self.qp = QP(self.pd, attr, QPAttr(port_num=1))
        if receives:
            for i in range(FRAMES):
                self.qp.post_recv(RecvWR(wr_id=i, sg=[self.piece(i, SIZE)], num_sge=1))

    def piece(self, number, length):
        return SGE(self.mr.buf + number * SIZE, length, self.mr.lkey)

    def completions(self, count, seconds):
        """At most @count of them."""
        found, end = [], time.monotonic() + seconds
        while len(found) < count and time.monotonic() < end:
            found += self.cq.poll(count - len(found))[1] or []
        for wc in found:
            if wc.status != ibv_wc_status.IBV_WC_SUCCESS:
                sys.exit(f'a completion has status {wc.status}')
        return found

    def send(self, frames):
        for i, data in enumerate(frames):
            self.mr.write(data, len(data), i * SIZE)
            self.qp.post_send(SendWR(wr_id=i, sg=[self.piece(i, len(data))], num_sge=1))
        if len(self.completions(len(frames), 10)) != len(frames):
            sys.exit('what was sent is not complete')

    def received(self, count, seconds):
        return [self.mr.read(wc.byte_len, wc.wr_id * SIZE) for wc in self.completions(count, seconds)]


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    client, mine, server, theirs = sys.argv[1:]
    sender, receiver = End(client, False), End(server, True)
    other = '02:00:00:77:77:77'
    rule = FlowAttr(num_of_specs=1, port=1)
    # No rule of the interface knows this address.
    rule.specs.append(EthSpec(dst_mac=other, ether_type=TYPE))
    frames = [frame(other if i % 2 else '02:00:00:77:77:78', mine, i) for i in range(FRAMES)]
    sender.send(frames)
    if receiver.received(1, 0.5):
        sys.exit('a frame came that no rule names')
    flow = Flow(receiver.qp, rule)
    sender.send(frames)
    if receiver.received(FRAMES, 2) != frames[1::2]:
        sys.exit('not all frames that the rule names came, or others, or otherwise than they were sent')
    flow.close()
    sender.send(frames)
    if receiver.received(1, 0.5):
        sys.exit('a frame came when the rule was gone')
    # The rule is in front of those of the interface.
    rule = FlowAttr(num_of_specs=1, port=1)
    rule.specs.append(EthSpec(dst_mac=theirs, ether_type=TYPE))
    flow = Flow(receiver.qp, rule)
    frames = [frame(theirs, mine, i) for i in range(FRAMES // 2)]
    sender.send(frames)
    if receiver.received(len(frames), 2) != frames:
        sys.exit('frames to the address of the interface did not come')


main()

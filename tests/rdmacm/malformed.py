#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Send malformed MADs to the subnet administrator, from a UD QP with the Q_Key of QP1.

Argument: the device. Leaves want.CAUSE: how many the administrator has to drop for that cause.
"""
import random
import sys

from pyverbs.addr import AH, AHAttr
from pyverbs.cq import CQ
from pyverbs.device import Context
from pyverbs.libibverbs_enums import ibv_access_flags, ibv_qp_type, ibv_wr_opcode, ibv_send_flags
from pyverbs.mr import MR
from pyverbs.pd import PD
from pyverbs.qp import QP, QPAttr, QPCap, QPInitAttr
from pyverbs.wr import SGE, SendWR

QP1_Q_KEY = 0x80010000
GOOD = bytes([1, 3, 2, 1] + [0] * 13 + [0x11]) + bytes(238)


def changed(**places):
    """A MAD that asks for NodeRecords, with bytes changed: b26=1."""
    mad = bytearray(GOOD)
    for place, value in places.items():
        mad[int(place[1:])] = value
    return bytes(mad)


CASES = {
    "length": [GOOD[:1], GOOD[:24], GOOD[:255], GOOD + b"\0", GOOD * 4,
               random.Random(1).randbytes(100)],
    "version": [changed(b0=0), changed(b0=0x80), changed(b2=1), changed(b26=1)],
    "class": [changed(b1=1), changed(b1=0x81), changed(b1=0xff)],
    "method": [changed(b3=0), changed(b3=0x81), changed(b3=0x92), changed(b3=0x7f)],
    "rmpp": [changed(b24=1, b25=1, b26=1), changed(b24=1, b25=9, b26=7)],
    "key": [changed(b36=1), changed(b43=77)],
}


def main():
    context = Context(name=sys.argv[1])
    sm_lid = context.query_port(1).sm_lid
    pd = PD(context)
    cq = CQ(context, 64)
    init = QPInitAttr(qp_type=ibv_qp_type.IBV_QPT_UD, scq=cq, rcq=cq,
                      cap=QPCap(max_send_wr=16, max_recv_wr=1))
    attr = QPAttr(port_num=1)
    attr.qkey = QP1_Q_KEY
    qp = QP(pd, init, attr)
    ah = AH(pd, attr=AHAttr(dlid=sm_lid, port_num=1, is_global=0))
    mr = MR(pd, 4096, ibv_access_flags.IBV_ACCESS_LOCAL_WRITE)
    for cause, mads in CASES.items():
        for mad in mads:
            mr.write(mad, len(mad))
            wr = SendWR(opcode=ibv_wr_opcode.IBV_WR_SEND, num_sge=1,
                        sg=[SGE(mr.buf, len(mad), mr.lkey)],
                        send_flags=ibv_send_flags.IBV_SEND_SIGNALED)
            wr.set_wr_ud(ah, 1, QP1_Q_KEY)
            qp.post_send(wr)
            while True:
                count, completions = cq.poll()
                if count:
                    break
            if completions[0].status:
                sys.exit(f"{cause}: send failed with status {completions[0].status}")
        with open(f"want.{cause}", "w", encoding="ascii") as want:
            want.write(f"{len(mads)}\n")


main()

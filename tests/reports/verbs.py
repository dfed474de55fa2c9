#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What two HCA functions tell of requests; it prints one line, for a test of the suite reports to compare.

    refused write|read|add|swap qp|key    the right is missing there: status, vendor byte, event of the responder
    ends flush|retry|rnr                  status and vendor byte of a send that ends so
    path-bits BITS                        source LID and path bits of a message, with BITS as source path bits
    umem-key                              a WRITE into a memory key that a program made of a umem (DEVX)
"""
import struct
import sys

import pyverbs.mem_alloc as mem
from pyverbs.addr import AHAttr
from pyverbs.cq import CQ
from pyverbs.libibverbs_enums import ibv_access_flags, ibv_event_type, ibv_qp_state, ibv_qp_type, ibv_wc_status
from pyverbs.libibverbs_enums import ibv_send_flags, ibv_wr_opcode
from pyverbs.mr import MR
from pyverbs.pd import PD
from pyverbs.providers.mlx5.mlx5_enums import mlx5dv_context_attr_flags, mlx5dv_obj_type
from pyverbs.providers.mlx5.mlx5dv import Mlx5Context, Mlx5DevxObj, Mlx5DVContextAttr, Mlx5UMEM
from pyverbs.providers.mlx5.mlx5dv_objects import Mlx5DvObj
from pyverbs.qp import QP, QPAttr, QPCap, QPInitAttr
from pyverbs.wr import RecvWR, SendWR, SGE

SIZE = 4096
REMOTE = {
    "write": ibv_access_flags.IBV_ACCESS_REMOTE_WRITE,
    "read": ibv_access_flags.IBV_ACCESS_REMOTE_READ,
    "add": ibv_access_flags.IBV_ACCESS_REMOTE_ATOMIC,
    "swap": ibv_access_flags.IBV_ACCESS_REMOTE_ATOMIC,
}
OPCODE = {
    "write": ibv_wr_opcode.IBV_WR_RDMA_WRITE,
    "read": ibv_wr_opcode.IBV_WR_RDMA_READ,
    "add": ibv_wr_opcode.IBV_WR_ATOMIC_FETCH_AND_ADD,
    "swap": ibv_wr_opcode.IBV_WR_ATOMIC_CMP_AND_SWP,
}
ALL = ibv_access_flags.IBV_ACCESS_LOCAL_WRITE
for right in REMOTE.values():
    ALL |= right


class Side:
    def __init__(self, device, access=ALL):
        attr = Mlx5DVContextAttr(flags=mlx5dv_context_attr_flags.MLX5DV_CONTEXT_FLAGS_DEVX)
        self.context = Mlx5Context(attr, device)
        self.lid = self.context.query_port(1).lid
        self.pd = PD(self.context)
        self.cq = CQ(self.context, 64)
        self.mr = MR(self.pd, SIZE, access)
        init = QPInitAttr(
            qp_type=ibv_qp_type.IBV_QPT_RC, scq=self.cq, rcq=self.cq, cap=QPCap(max_send_wr=8, max_recv_wr=8)
        )
        self.qp = QP(self.pd, init)

    def connect(self, other, access=ALL, bits=0, retry=7, rnr=7):
        attr = QPAttr(port_num=1)
        attr.qp_access_flags = access
        attr.dest_qp_num = other.qp.qp_num
        attr.path_mtu = 4
        attr.max_rd_atomic = attr.max_dest_rd_atomic = 4
        attr.min_rnr_timer = 1
        attr.timeout = 8
        attr.retry_cnt = retry
        attr.rnr_retry = rnr
        attr.ah_attr = AHAttr(port_num=1, dlid=other.lid, src_path_bits=bits)
        self.qp.to_rts(attr)

    def request(self, opcode, raddr=0, rkey=0, length=8):
        request = SendWR(
            opcode=opcode,
            num_sge=1,
            sg=[SGE(self.mr.buf, length, self.mr.lkey)],
            send_flags=ibv_send_flags.IBV_SEND_SIGNALED,
        )
        if opcode in (OPCODE["add"], OPCODE["swap"]):
            request.set_wr_atomic(rkey, raddr, 1, 0)
        elif opcode != ibv_wr_opcode.IBV_WR_SEND:
            request.set_wr_rdma(rkey, raddr)
        self.qp.post_send(request)

    def receive(self):
        self.qp.post_recv(RecvWR(sg=[SGE(self.mr.buf, SIZE, self.mr.lkey)], num_sge=1))

    def completion(self):
        """The next one; who runs this ends it when there is none."""
        while True:
            count, completions = self.cq.poll(1)
            if count:
                return completions[0]


def name(enum, value, prefix):
    return enum(value).name.removeprefix(prefix)


def outcome(completion):
    """Status and vendor byte; libmlx5 leaves that of a success alone."""
    status = name(ibv_wc_status, completion.status, "IBV_WC_")
    return f"{status} {completion.vendor_err:#x}" if completion.status else status


def refused(operation, where):
    lacking = ALL & ~REMOTE[operation]
    a, b = Side("mlx5_0"), Side("mlx5_1", lacking if where == "key" else ALL)
    a.connect(b)
    b.connect(a, lacking if where == "qp" else ALL)
    a.request(OPCODE[operation], b.mr.buf, b.mr.rkey)
    told = outcome(a.completion())
    event = b.context.get_async_event()
    event.ack()
    print(told, name(ibv_event_type, event.event_type, "IBV_EVENT_"))


def ends(how):
    a, b = Side("mlx5_0"), Side("mlx5_1")
    a.connect(b, retry=1, rnr=0)
    if how == "rnr":
        b.connect(a)
    if how == "flush":
        a.qp.modify(QPAttr(qp_state=ibv_qp_state.IBV_QPS_ERR), 1)
    a.request(ibv_wr_opcode.IBV_WR_SEND)
    print(outcome(a.completion()))


def path_bits(bits):
    a, b = Side("mlx5_0"), Side("mlx5_1")
    a.connect(b, bits=int(bits))
    b.connect(a)
    b.receive()
    a.request(ibv_wr_opcode.IBV_WR_SEND)
    got = a.completion()
    if got.status:
        print(outcome(got))
        return
    got = b.completion()
    print(got.slid - a.lid, got.dlid_path_bits)


def umem_key():
    a, b = Side("mlx5_0"), Side("mlx5_1")
    a.connect(b)
    b.connect(a)
    umem = Mlx5UMEM(b.context, size=2 * SIZE, alignment=SIZE, access=ibv_access_flags.IBV_ACCESS_LOCAL_WRITE)
    command = bytearray(0x110)
    pdn = Mlx5DvObj(mlx5dv_obj_type.MLX5DV_OBJ_PD, pd=b.pd).dvpd.pdn
    struct.pack_into(">H", command, 0, 0x200)
    # Rights to read and write from here and afar; entries by a table (MTT); any QP, key byte 0x21.
    struct.pack_into(">II", command, 0x10, 0xF << 10 | 1 << 8, 0xFFFFFF21)
    struct.pack_into(">I", command, 0x1C, pdn)
    struct.pack_into(">QQ", command, 0x20, umem.umem_addr, 2 * SIZE)
    # As DPDK counts entries: half of the bytes.
    struct.pack_into(">I", command, 0x10 + 13 * 4, SIZE)
    struct.pack_into(">I", command, 0x10 + 14 * 4, 12)
    struct.pack_into(">II", command, 0x60, SIZE, umem.umem_id)
    key = Mlx5DevxObj(b.context, bytes(command), 16)
    number = struct.unpack_from(">I", bytes(key.out_view), 8)[0] & 0xFFFFFF
    a.mr.write("umem key", 8)
    a.request(OPCODE["write"], umem.umem_addr + SIZE - 4, number << 8 | 0x21)
    told = outcome(a.completion())
    data = b"".join(struct.pack("<I", mem.read32(umem.umem_addr + SIZE - 4 + 4 * i)) for i in range(2))
    # One byte past its end.
    a.request(OPCODE["write"], umem.umem_addr + 2 * SIZE - 7, number << 8 | 0x21)
    print(told, data.decode(), outcome(a.completion()))
    key.close()
    umem.close()


{"refused": refused, "ends": ends, "path-bits": path_bits, "umem-key": umem_key}[sys.argv[1]](*sys.argv[2:])

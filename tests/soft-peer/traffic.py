#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""In a machine: verbs between two ends that share no line, each byte of which is compared.

Usage: traffic serve PORT DEVICE GID-INDEX
       traffic run ADDRESS PORT DEVICE GID-INDEX [OPTION]...

The server does what the other one says, over TCP. Each operation goes both ways. A line of JSON is printed for each: operation, who began it (here or
there), messages, bytes, bytes that differ, datagrams that are missing. Exit status 1 when a byte differs, or anything else is not as it has to be.
"""
import argparse
import ctypes
import json
import random
import socket
import sys
import time

try:
    import pyverbs.libibverbs_enums as e
except ImportError:  # that of Debian
    import pyverbs.enums as e
from pyverbs.addr import AH, AHAttr, GID, GlobalRoute
from pyverbs.cq import CQ
from pyverbs.device import Context
from pyverbs.mr import MR
from pyverbs.pd import PD
from pyverbs.qp import QP, QPAttr, QPCap, QPInitAttr
from pyverbs.wr import SGE, RecvWR, SendWR

TYPES = {"rc": e.IBV_QPT_RC, "uc": e.IBV_QPT_UC, "ud": e.IBV_QPT_UD}
OPCODES = {"write": e.IBV_WR_RDMA_WRITE, "write-imm": e.IBV_WR_RDMA_WRITE_WITH_IMM, "read": e.IBV_WR_RDMA_READ,
           "send": e.IBV_WR_SEND, "send-imm": e.IBV_WR_SEND_WITH_IMM}
MTU = {1: 256, 2: 512, 3: 1024, 4: 2048, 5: 4096}
ACCESS = e.IBV_ACCESS_LOCAL_WRITE | e.IBV_ACCESS_REMOTE_WRITE | e.IBV_ACCESS_REMOTE_READ | e.IBV_ACCESS_REMOTE_ATOMIC
Q_KEY = 0x11111111
GRH = 40
SECONDS = 60
# What messages are made of: each begins somewhere in it.
BYTES = random.Random(23).randbytes((1 << 21) + 65536)
GUARD = bytes(range(256)) * 16
SIZE_MAX = 1 << 20
PAUSE = 0.0002
# What moves and compares: nothing is copied to be looked at.
BYTES_AT = ctypes.cast(BYTES, ctypes.c_void_p).value
memcmp = ctypes.CDLL(None).memcmp
memcmp.argtypes = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t


def pattern(turn, slot):
    """Where message SLOT of a turn is: its first byte in BYTES."""
    return (turn * 7919 + slot * 104729) % (1 << 20)


class End:
    """One side. Its memory: messages to send, messages that came, with a guard behind them, words of atomics."""

    def __init__(self, device, gid_index):
        self.context = Context(name=device)
        self.gid_index = gid_index
        self.pd = PD(self.context)
        port = self.context.query_port(1)
        # On Ethernet there is no LID, and 0 says so.
        self.mtu, self.lid = port.active_mtu, port.lid
        self.gid = self.context.query_gid(1, gid_index).gid

    def setup(self, service, qps, depth, size):
        """What the other side needs to know."""
        self.service, self.depth, self.size, self.slots = service, depth, size, qps * depth
        self.room = size + (GRH if service == "ud" else 0)
        self.came = self.slots * self.room
        self.words = self.came + self.slots * self.room + len(GUARD)
        self.mr = MR(self.pd, self.words + 16 * self.slots, ACCESS)
        self.cq = CQ(self.context, 4 * self.slots + 16)
        cap = QPCap(max_send_wr=depth + 1, max_recv_wr=depth + 1, max_send_sge=1, max_recv_sge=1)
        self.sends, self.receives = {}, []
        self.qps = []
        for _ in range(qps):
            attr = QPAttr(port_num=1)
            if service == "ud":
                attr.qkey = Q_KEY
            else:
                attr.qp_access_flags = ACCESS
            self.qps.append(QP(self.pd, QPInitAttr(qp_type=TYPES[service], scq=self.cq, rcq=self.cq, cap=cap, sq_sig_all=1), attr))
        return {"gid": self.gid, "lid": self.lid, "mtu": self.mtu, "qpns": [qp.qp_num for qp in self.qps], "rkey": self.mr.rkey, "buf": self.mr.buf}

    def route(self, peer):
        return AHAttr(port_num=1, is_global=1, dlid=peer["lid"], gr=GlobalRoute(dgid=GID(peer["gid"]), sgid_index=self.gid_index, hop_limit=64))

    def connect(self, peer, timeout):
        self.peer = peer
        if self.service == "ud":
            self.ah = AH(self.pd, attr=self.route(peer))
            return
        for qp, qpn in zip(self.qps, peer["qpns"]):
            attr = QPAttr(port_num=1)
            attr.qp_access_flags = ACCESS
            attr.dest_qp_num, attr.path_mtu = qpn, min(self.mtu, peer["mtu"])
            attr.ah_attr = self.route(peer)
            attr.rq_psn = attr.sq_psn = 0xfffff0
            if self.service == "rc":
                attr.max_rd_atomic = attr.max_dest_rd_atomic = 8
                attr.min_rnr_timer, attr.timeout, attr.retry_cnt, attr.rnr_retry = 12, timeout, 7, 7
            qp.to_rts(attr)

    def close(self):
        for qp in self.qps:
            qp.close()
        self.cq.close()
        self.mr.close()

    def poll(self, count, seconds=SECONDS):
        """So many completions, or those that come in time."""
        result, end = [], time.monotonic() + seconds
        while len(result) < count and time.monotonic() < end:
            polled = self.cq.poll(count - len(result))[1]
            # Who looks all the time takes the processors from those that work.
            if not polled:
                time.sleep(PAUSE)
            for wc in polled or ():
                if wc.status != e.IBV_WC_SUCCESS:
                    raise RuntimeError(f"completion {wc.wr_id} with status {wc.status}, vendor error {wc.vendor_err:#x}")
                result.append((wc.opcode, wc.wr_id, wc.byte_len, wc.imm_data))
        return result

    def completed(self, count):
        if len(self.poll(count)) != count:
            raise RuntimeError(f"fewer than {count} completions in {SECONDS} seconds")

    def sge(self, first, length):
        return [SGE(self.mr.buf + first, length, self.mr.lkey)]

    def fill(self, turn):
        """The messages to send."""
        for slot in range(self.slots):
            ctypes.memmove(self.mr.buf + slot * self.size, BYTES_AT + pattern(turn, slot), self.size)

    def clear(self):
        """What came, and the guard."""
        ctypes.memset(self.mr.buf + self.came, 0, self.slots * self.room)
        self.mr.write(GUARD, len(GUARD), self.came + self.slots * self.room)

    def differ(self, at, turn, slot):
        """Bytes at AT of the memory that are not those of the message."""
        first = pattern(turn, slot)
        if not memcmp(self.mr.buf + at, BYTES_AT + first, self.size):
            return 0
        return sum(a != b for a, b in zip(self.mr.read(self.size, at), BYTES[first:first + self.size]))

    def check(self, turn):
        """Bytes that differ from what had to come, the guard among them."""
        differ = sum(self.differ(self.came + slot * self.size, turn, slot) for slot in range(self.slots))
        guard = self.mr.read(len(GUARD), self.came + self.slots * self.room)
        return differ + sum(a != b for a, b in zip(guard, GUARD))

    def check_later(self, turn):
        """The same of what may still be on its way: a completion of UC says that a message left, not that it came."""
        end = time.monotonic() + 5
        while (differ := self.check(turn)) and time.monotonic() < end:
            time.sleep(0.05)
        return differ

    def receive(self):
        """Receives for what comes, at its place."""
        if not self.receives:
            self.receives = [RecvWR(num_sge=1, sg=self.sge(self.came + slot * self.room, self.room), wr_id=slot) for slot in range(self.slots)]
        for slot, wr in enumerate(self.receives):
            self.qps[slot % len(self.qps)].post_recv(wr)

    def request(self, what, slot):
        """The message of a slot."""
        here = self.came + slot * self.size if what == "read" else slot * self.size
        wr = SendWR(opcode=OPCODES[what], num_sge=1, sg=self.sge(here, self.size), wr_id=slot, imm_data=slot, send_flags=e.IBV_SEND_SIGNALED)
        if what == "read":
            wr.set_wr_rdma(self.peer["rkey"], self.peer["buf"] + slot * self.size)
        elif what.startswith("write"):
            wr.set_wr_rdma(self.peer["rkey"], self.peer["buf"] + self.came + slot * self.size)
        if self.service == "ud":
            wr.set_wr_ud(self.ah, self.peer["qpns"][slot % len(self.qps)], Q_KEY)
        return wr

    def begin(self, what, turn):
        """One message of each slot; returns when all are done."""
        if what != "read":
            self.fill(turn)
        if what not in self.sends:
            self.sends[what] = [self.request(what, slot) for slot in range(self.slots)]
        for slot, wr in enumerate(self.sends[what]):
            self.qps[slot % len(self.qps)].post_send(wr)
        self.completed(self.slots)

    def received(self, turn, immediate):
        """Receives have ended in order, as they had to. Returns bytes that differ."""
        got = self.poll(self.slots)
        if len(got) != self.slots:
            raise RuntimeError(f"{len(got)} receives of {self.slots} ended")
        for at in range(len(self.qps)):
            if [one[1] for one in got if one[1] % len(self.qps) == at] != list(range(at, self.slots, len(self.qps))):
                raise RuntimeError("receives ended in another order")
        if immediate and any(one[3] != one[1] for one in got):
            raise RuntimeError("another immediate")
        if any(one[2] != self.size for one in got):
            raise RuntimeError("another length")
        return self.check(turn)

    def datagrams(self, turn, seconds):
        """(datagrams that came, bytes of them that differ). They are told apart by the immediate."""
        differ = 0
        got = self.poll(self.slots, seconds)
        for _, slot, length, immediate in got:
            differ += length != self.room or self.differ(self.came + slot * self.room + GRH, turn, immediate)
        # What was left over is flushed with the QPs, which are new for the next turn.
        return len(got), differ

    def zero(self):
        self.mr.write(bytes(16 * self.slots), 16 * self.slots, self.words)

    def word(self, at):
        return int.from_bytes(self.mr.read(8, self.words + 16 * at), "little")

    def atomics(self, what, first):
        """One atomic of each slot, the k-th of a QP on the QP's word at the peer: it had FIRST + k. Returns how many had something else."""
        for slot in range(self.slots):
            qp, value = slot % len(self.qps), first + slot // len(self.qps)
            opcode = e.IBV_WR_ATOMIC_FETCH_AND_ADD if what == "fetch-add" else e.IBV_WR_ATOMIC_CMP_AND_SWP
            wr = SendWR(opcode=opcode, num_sge=1, sg=self.sge(self.words + 16 * slot + 8, 8), wr_id=slot, send_flags=e.IBV_SEND_SIGNALED)
            wr.set_wr_atomic(self.peer["rkey"], self.peer["buf"] + self.words + 16 * qp, *((1, 0) if what == "fetch-add" else (value, value + 1)))
            self.qps[qp].post_send(wr)
        self.completed(self.slots)
        had = [int.from_bytes(self.mr.read(8, self.words + 16 * slot + 8), "little") for slot in range(self.slots)]
        return sum(one != first + slot // len(self.qps) for slot, one in enumerate(had))


class There:
    """The other end, by its name: a method each."""

    def __init__(self, stream):
        self.stream = stream

    def __getattr__(self, name):
        def call(*words):
            print(json.dumps([name, *words]), file=self.stream, flush=True)
            answer = json.loads(self.stream.readline())
            if "error" in answer:
                raise RuntimeError(f"there: {answer['error']}")
            return answer["result"]
        return call


def serve(port, device, gid_index):
    listener = socket.create_server(("", port), family=socket.AF_INET)
    stream = listener.accept()[0].makefile("rw")
    end = End(device, gid_index)
    for line in stream:
        name, *words = json.loads(line)
        try:
            answer = {"result": getattr(end, name)(*words)}
        except Exception as error:  # pylint: disable=broad-except
            answer = {"error": str(error)}
        print(json.dumps(answer), file=stream, flush=True)


def messages(service, what, begins, answers, turns):
    """What goes by connected QPs: bytes that differ."""
    differ = 0
    for turn in range(turns):
        (begins if what == "read" else answers).clear()
        if what in ("send", "send-imm", "write-imm"):
            answers.receive()
        if what == "read":
            answers.fill(turn)
        begins.begin(what, turn)
        if what == "read":
            differ += begins.check(turn)
        elif what == "write":
            differ += (answers.check_later if service == "uc" else answers.check)(turn)
        else:
            differ += answers.received(turn, what.endswith("imm"))
    return differ


def atomics(what, begins, answers, turns, qps, depth):
    differ = 0
    answers.zero()
    for turn in range(turns):
        differ += begins.atomics(what, turn * depth)
    return differ + sum(answers.word(qp) != turns * depth for qp in range(qps))


def one(what, here, there, swapped, options):
    """The line of an operation."""
    begins, answers = (there, here) if swapped else (here, there)
    service = what.split("-")[0] if what[:2] in ("uc", "ud") else "rc"
    operation = what[3:] if service != "rc" else what
    atomic = operation in ("fetch-add", "cmp-swap")
    size = 8 if atomic else min(options.size, MTU[min(here.mtu, 5)]) if service == "ud" else options.size
    slots = options.qps * options.depth
    turns = 1 if service == "ud" else max(1, options.bytes // (slots * options.size))
    started = time.monotonic()
    sides = [side.setup(service, options.qps, options.depth, size) for side in (here, there)]
    here.connect(sides[1], options.timeout)
    there.connect(sides[0], options.timeout)
    missing = 0
    if service == "ud":
        answers.receive()
        begins.begin("send-imm", 0)
        came, differ = answers.datagrams(0, 2)
        missing = slots - came
    elif atomic:
        differ = atomics(operation, begins, answers, turns, options.qps, options.depth)
    else:
        differ = messages(service, operation, begins, answers, turns)
    here.close()
    there.close()
    return {"operation": what, "begins": "there" if swapped else "here", "messages": turns * slots, "bytes": turns * slots * size, "differ": differ,
            "missing": missing, "seconds": round(time.monotonic() - started, 2)}


def run(options):
    stream = socket.create_connection((options.address, options.port), 60)
    stream.settimeout(None)
    here, there = End(options.device, options.gid_index), There(stream.makefile("rw"))
    good = True
    for what in options.operations.split(","):
        for swapped in (False, True):
            try:
                line = one(what, here, there, swapped, options)
            except Exception as error:  # pylint: disable=broad-except
                print(f"{what}, begun {'there' if swapped else 'here'}: {error}", file=sys.stderr)
                return 1
            print(json.dumps(line), flush=True)
            good = good and not line["differ"] and (options.lossy or not line["missing"])
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(prog="traffic")
    which = parser.add_subparsers(dest="what", required=True)
    for name in ("serve", "run"):
        one_of = which.add_parser(name)
        if name == "run":
            one_of.add_argument("address")
        one_of.add_argument("port", type=int)
        one_of.add_argument("device")
        one_of.add_argument("gid_index", type=int)
        if name == "run":
            one_of.add_argument("--operations", default="write,write-imm,read,send,send-imm,fetch-add,cmp-swap,uc-send,uc-write,ud-send")
            for option, default in (("size", 65536), ("depth", 16), ("qps", 1), ("bytes", 1 << 20), ("timeout", 14)):
                one_of.add_argument(f"--{option}", type=int, default=default)
            one_of.add_argument("--lossy", action="store_true")
    options = parser.parse_args()
    if options.what == "run" and not 0 < options.size <= SIZE_MAX:
        parser.error(f"--size {options.size}: 1 to {SIZE_MAX}")
    if options.what == "serve":
        serve(options.port, options.device, options.gid_index)
        return 0
    return run(options)


if __name__ == "__main__":
    sys.exit(main())

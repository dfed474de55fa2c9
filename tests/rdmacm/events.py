#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""One side of a connection by rdma_cm, that prints the events it gets, one per line.

    server ADDRESS [accept|reject]    listens on port 7475; prints LISTENING first
    client ADDRESS [SOURCE]           connects

After ESTABLISHED it waits for what comes: DISCONNECTED, ADDR_CHANGE, ... and ends after the first of them.
A client with a line on its standard input disconnects; the line "send" makes it send first, and print the
status of the completion. An error of a call is printed as its errno.
"""
import os
import select
import signal
import sys

from pyverbs.cmid import AddrInfo, CMEvent, CMEventChannel, CMID, ConnParam
from pyverbs.libibverbs_enums import ibv_qp_type
from pyverbs.librdmacm_enums import RAI_PASSIVE, rdma_port_space
from pyverbs.pyverbs_error import PyverbsRDMAError
from pyverbs.qp import QPCap, QPInitAttr

PORT = "7475"
LIMIT = 100  # seconds; whatever happens, nobody waits for ever
PREFIX = "RDMA_CM_EVENT_"


def say(text):
    print(text, flush=True)


def event(channel):
    """The next event, still to be acknowledged, and its name."""
    got = CMEvent(channel)
    name = got.event_str().removeprefix(PREFIX)
    say(name)
    return got, name


def qp_init():
    return QPInitAttr(qp_type=ibv_qp_type.IBV_QPT_RC, cap=QPCap(max_recv_wr=4, max_send_wr=4))


def established(channel, cmid):
    """Until the connection ends, one way or another."""
    poller = select.poll()
    poller.register(channel_fd(), select.POLLIN)
    poller.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
    while True:
        ready = [fd for fd, _ in poller.poll()]
        if sys.stdin.fileno() in ready:
            line = sys.stdin.readline().strip()
            if line == "send":
                mr = cmid.reg_msgs(64)
                cmid.post_send(mr, 64)
                say(f"completion {cmid.get_send_comp().status}")
            elif line == "disconnect":
                cmid.disconnect()
            else:
                poller.unregister(sys.stdin.fileno())
        if channel_fd() in ready:
            got, name = event(channel)
            got.ack_cm_event()
            if name == "ADDR_CHANGE":
                cmid.disconnect()
            if name != "ADDR_CHANGE":
                return


def channel_fd():
    """The event channel's descriptor: the newest one that is the rdma_cm device."""
    for fd in sorted(map(int, os.listdir("/proc/self/fd")), reverse=True):
        try:
            if os.readlink(f"/proc/self/fd/{fd}") == "/dev/infiniband/rdma_cm":
                return fd
        except OSError:
            pass
    raise RuntimeError("no event channel")


def server(channel, address, answer="accept"):
    info = AddrInfo(src=address, src_service=PORT, port_space=rdma_port_space.RDMA_PS_TCP,
                    flags=RAI_PASSIVE)
    listener = CMID(creator=channel)
    listener.bind_addr(info)
    listener.listen()
    say("LISTENING")
    got, _ = event(channel)
    child = CMID(creator=got, listen_id=listener)
    got.ack_cm_event()
    if answer == "reject":
        child.reject(b"no")
        return
    child.create_qp(qp_init())
    child.reg_msgs(64)
    child.accept(ConnParam())
    got, name = event(channel)
    got.ack_cm_event()
    if name == "ESTABLISHED":
        established(channel, child)


def client(channel, address, source=None):
    info = AddrInfo(src=source, dst=address, dst_service=PORT,
                    port_space=rdma_port_space.RDMA_PS_TCP)
    cmid = CMID(creator=channel)
    steps = [
        ("ADDR_RESOLVED", lambda: cmid.resolve_addr(info, 2000)),
        ("ROUTE_RESOLVED", lambda: cmid.resolve_route(2000)),
        ("ESTABLISHED", lambda: (cmid.create_qp(qp_init()), cmid.connect(ConnParam()))),
    ]
    for wanted, step in steps:
        step()
        got, name = event(channel)
        got.ack_cm_event()
        if name != wanted:
            return
    established(channel, cmid)


def main():
    signal.alarm(LIMIT)
    channel = CMEventChannel()
    try:
        {"server": server, "client": client}[sys.argv[1]](channel, *sys.argv[2:])
    except PyverbsRDMAError as error:
        say(f"errno {error.error_code}")


main()

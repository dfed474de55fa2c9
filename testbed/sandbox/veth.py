# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox, which has no ip(8): a wire between two network name spaces, a pair of veth.

Usage: veth ONE ADDRESS OTHER ADDRESS    ONE and OTHER are files that network name spaces are mounted on (unshare --net=FILE); each gets an end,
                                         called wire, with the address (of a /24), and up. They go with the name spaces.
"""
import fcntl
import os
import socket
import struct
import sys

NAME = b"wire"
MTU = 1500
CLONE_NEWNET = 0x40000000
# linux/netlink.h, linux/rtnetlink.h, linux/if_link.h, linux/veth.h
RTM_NEWLINK = 16
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 0x1, 0x4, 0x200, 0x400
NLMSG_ERROR = 2
IFLA_IFNAME, IFLA_MTU, IFLA_LINKINFO, IFLA_NET_NS_FD = 3, 4, 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 1, 2, 1
# linux/sockios.h
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8914, 0x8916, 0x891c
IFF_UP = 1


def attribute(kind, value):
    """A netlink attribute, padded to four bytes."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def new_veth(peer):
    """The message that makes a pair, one end here, the other one in the name space of the descriptor PEER."""
    ifinfo = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, 0, 0, 0)
    end = attribute(IFLA_IFNAME, NAME + b"\0") + attribute(IFLA_MTU, struct.pack("=I", MTU))
    data = attribute(VETH_INFO_PEER, ifinfo + end + attribute(IFLA_NET_NS_FD, struct.pack("=I", peer)))
    info = attribute(IFLA_INFO_KIND, b"veth") + attribute(IFLA_INFO_DATA, data)
    body = ifinfo + end + attribute(IFLA_LINKINFO, info)
    return struct.pack("=IHHII", 16 + len(body), RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 1, 0) + body


def refused(answer):
    """The errno of an answer; 0: it was done."""
    length, kind = struct.unpack_from("=IH", answer)
    if kind != NLMSG_ERROR or length < 20:
        raise ValueError(f"an answer of type {kind}, {length} bytes")
    return -struct.unpack_from("=i", answer, 16)[0]


def configure(address):
    """The end in this name space: address, and up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for request, text in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, "255.255.255.0")):
            fcntl.ioctl(control, request, struct.pack("16sHH4s8x", NAME, socket.AF_INET, 0, socket.inet_aton(text)))
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh22x", NAME, IFF_UP))


def main():
    one, one_address, other, other_address = sys.argv[1:]
    with open(one, "rb") as here, open(other, "rb") as there:
        os.setns(here.fileno(), CLONE_NEWNET)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
            netlink.send(new_veth(there.fileno()))
            error = refused(netlink.recv(65536))
        if error:
            print(f"veth: {os.strerror(error)}", file=sys.stderr)
            return 1
        configure(one_address)
        os.setns(there.fileno(), CLONE_NEWNET)
        configure(other_address)
    return 0


if __name__ == "__main__":
    sys.exit(main())

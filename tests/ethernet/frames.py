# SPDX-License-Identifier: GPL-2.0-only
"""Frames, streams and the statistics of an interface, for the tests of the Ethernet port."""
import array
import fcntl
import hashlib
import random
import socket
import struct
import sys
import threading
import time

PORT = 7000
TYPE = 0x88b5  # IEEE 802, local experiments
SIOCETHTOOL = 0x8946
GSTRINGS, GSTATS, GSSET_INFO = 0x1b, 0x1d, 0x37
SRINGPARAM, SCHANNELS = 0x11, 0x3d
FLAGS = {"rx": 0x15, "tx": 0x17, "sg": 0x19, "tso": 0x1f, "gso": 0x24, "gro": 0x2c}  # to set them
STATISTICS = 1
PROMISCUOUS, MEMBERSHIP, AUXDATA = 1, 1, 8
SOL_PACKET = 263


# --- ethtool -----------------------------------------------------------------------------------

def ethtool(interface, data):
    buffer = array.array("B", data)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, SIOCETHTOOL, struct.pack("16sP", interface.encode(), buffer.buffer_info()[0]))
    return buffer.tobytes()


def statistics(interface):
    count = struct.unpack_from("I", ethtool(interface, struct.pack("IIQI", GSSET_INFO, 0, 1 << STATISTICS, 0)), 16)[0]
    names = ethtool(interface, struct.pack("III", GSTRINGS, STATISTICS, count) + bytes(32 * count))[12:]
    values = ethtool(interface, struct.pack("II", GSTATS, count) + bytes(8 * count))[8:]
    return {names[32 * i:32 * i + 32].rstrip(b"\0").decode(): struct.unpack_from("Q", values, 8 * i)[0] for i in range(count)}


def channels(interface, count):
    """Queues, each for both ways."""
    ethtool(interface, struct.pack("9I", SCHANNELS, 0, 0, 0, 0, 0, 0, 0, count))


def rings(interface, size):
    """Receives and sends of each queue."""
    ethtool(interface, struct.pack("9I", SRINGPARAM, 0, 0, 0, 0, size, 0, 0, size))


# --- streams -----------------------------------------------------------------------------------

def pattern(seed, count):
    """COUNT bytes in pieces, the same for the same SEED."""
    source = random.Random(seed)
    while count:
        piece = source.randbytes(min(count, 1 << 16))
        count -= len(piece)
        yield piece


def send(connection, seed, count):
    for piece in pattern(seed, count):
        connection.sendall(piece)
    connection.shutdown(socket.SHUT_WR)


def digest_of(pieces):
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def receive(connection):
    while piece := connection.recv(1 << 16):
        yield piece


def exchange(connection, mine, theirs, count):
    sender = threading.Thread(target=send, args=(connection, mine, count))
    sender.start()
    got = digest_of(receive(connection))
    sender.join()
    if got != digest_of(pattern(theirs, count)):
        sys.exit("other bytes than were sent")


def serve():
    with socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        print("LISTENING", flush=True)
        connection = server.accept()[0]
        with connection:
            count = struct.unpack("!Q", connection.recv(8, socket.MSG_WAITALL))[0]
            exchange(connection, 2, 1, count)


def stream(address, count):
    with socket.create_connection((address, PORT)) as connection:
        connection.sendall(struct.pack("!Q", count))
        exchange(connection, 1, 2, count)


# --- frames ------------------------------------------------------------------------------------

def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def transmit(interface, to, tag, count, size):
    """COUNT frames to TO; TAG: None or a VLAN tag's 16 bits."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as one:
        one.bind((interface, 0))
        source = one.getsockname()[4]
        header = mac(to) + source + (struct.pack("!HH", 0x8100, tag) if tag is not None else b"") + struct.pack("!H", TYPE)
        for number in range(count):
            one.send((header + struct.pack("!I", number)).ljust(size, b"\xa5"))


def listen(interface, promiscuous, seconds):
    """Print what comes in SECONDS: frames, and the tags that were taken out of them."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as one:
        one.bind((interface, 3))
        one.setsockopt(SOL_PACKET, AUXDATA, 1)
        if promiscuous:
            index = socket.if_nametoindex(interface)
            one.setsockopt(SOL_PACKET, MEMBERSHIP, struct.pack("IHH8s", index, PROMISCUOUS, 0, b""))
            time.sleep(1)  # the driver changes its tables later
        print("LISTENING", flush=True)
        frames, tags, end = 0, set(), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            one.settimeout(left)
            try:
                data, control, _, sender = one.recvmsg(65536, 256)
            except TimeoutError:
                break
            # Not its own; behind a tag that is still there.
            kind = data[16:18] if data[12:14] == b"\x81\x00" else data[12:14]
            if sender[2] == 4 or kind != struct.pack("!H", TYPE):
                continue
            frames += 1
            for _, _, value in control:
                status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", value[:20])
                if status & 0x10:
                    tags.add(tci)
            if data[12:14] == b"\x81\x00":
                tags.add(struct.unpack_from("!H", data, 14)[0])
        print("FRAMES", frames, *(f"{tag:#x}" for tag in sorted(tags)))


# --- groups ------------------------------------------------------------------------------------

def join(group, address, count):
    """COUNT datagrams to GROUP at the interface of ADDRESS."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("", PORT))
        one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(address))
        print("LISTENING", flush=True)
        one.settimeout(60)
        for number in range(count):
            while struct.unpack("!I", one.recv(2048)[:4])[0] != number:
                pass


def cast(group, address, count, size):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        for number in range(count):
            one.sendto(struct.pack("!I", number).ljust(size, b"g"), (group, PORT))


def main(what, *words):
    if what == "statistic":
        print(statistics(words[0])[words[1]])
    elif what == "statistics":
        for name, value in statistics(words[0]).items():
            print(name, value)
    elif what == "set":
        ethtool(words[0], struct.pack("II", FLAGS[words[1]], words[2] == "on"))
    elif what == "channels":
        channels(words[0], int(words[1]))
    elif what == "rings":
        rings(words[0], int(words[1]))
    elif what == "serve":
        serve()
    elif what == "stream":
        stream(words[0], int(words[1]))
    elif what == "transmit":
        transmit(words[0], words[1], int(words[4], 0) if len(words) > 4 else None, int(words[2]), int(words[3]))
    elif what == "listen":
        listen(words[0], words[1] == "promiscuous", int(words[2]))
    elif what == "join":
        join(words[0], words[1], int(words[2]))
    elif what == "cast":
        cast(words[0], words[1], int(words[2]), int(words[3]))
    else:
        sys.exit(f"{what}: unknown")


if __name__ == "__main__":
    main(*sys.argv[1:])

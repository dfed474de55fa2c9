#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Clients of one emulator that do as they like at the same time: they connect, transfer, unmap what is being
transferred, reset, disconnect, pull cables. The emulator is built with ThreadSanitizer, which ends it at the
first race. Usage: clients.py EMULATOR SECONDS SEED. Exit status 0: no race, all answered, it ended."""
import array
import json
import mmap
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

MEMORY = 1 << 21
QUEUE, MAILBOX, RINGS, DATA = 0x1000, 0x10000, 0x40000, 0x100000
PATIENCE = 20  # seconds: an instrumented emulator on a busy machine


class Gone(Exception):
    """The connection ended."""


class Client:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(path)
        self.id = 0
        self.answer_dma = True
        self.memfd = os.memfd_create("guest", os.MFD_ALLOW_SEALING)
        os.ftruncate(self.memfd, MEMORY)
        self.memory = mmap.mmap(self.memfd, MEMORY)
        self.ask(1, struct.pack("<HH", 0, 0) + b'{"capabilities":{"max_data_xfer_size":1048576}}\0')

    def close(self):
        self.sock.close()
        self.memory.close()
        os.close(self.memfd)

    def receive(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self.sock.recv(size - len(data))
            except ConnectionError as error:
                raise Gone from error
            if not more:
                raise Gone
            data += more
        return data

    def send(self, command, body=b"", fds=(), ident=None, flags=0):
        if ident is None:
            self.id = ident = (self.id + 1) & 0xFFFF
        head = struct.pack("<HHIII", ident, command, 16 + len(body), flags, 0)
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self.sock.sendmsg([head], control)
            if body:
                self.sock.sendall(body)
        except ConnectionError as error:
            raise Gone from error
        return ident

    def ask(self, command, body=b"", fds=()):
        """Sends a request; serves DMA messages until its answer is there. Returns error and body."""
        wanted = self.send(command, body, fds)
        while True:
            ident, what, size, flags, error = struct.unpack("<HHIII", self.receive(16))
            data = self.receive(size - 16)
            if flags & 15 == 1:
                if ident == wanted:
                    return error, data
            elif what == 11:
                addr, count = struct.unpack("<QQ", data[:16])
                self.send(11, data[:16] + bytes(count), ident=ident, flags=1)
            else:
                self.send(what, data[:16], ident=ident, flags=1)

    def map(self, addr, size, offset):
        fds = (self.memfd,) if offset is not None else ()
        return self.ask(2, struct.pack("<IIQQQ", 32, 3, offset or 0, addr, size), fds)[0]

    def unmap(self, addr, size):
        return self.ask(3, struct.pack("<IIQQ", 24, 0, addr, size))[0]

    def write(self, region, offset, data):
        return self.ask(10, struct.pack("<QII", offset, region, len(data)) + data)[0]

    def read(self, region, offset, count):
        return self.ask(9, struct.pack("<QII", offset, region, count))[1][16:]

    def put(self, addr, data):
        self.memory[addr : addr + len(data)] = data


class Driver(Client):
    """Drives an HCA: a QP that is connected to itself."""

    def probe(self, lid):
        self.map(0, MEMORY, 0)
        self.write(7, 4, struct.pack("<H", 6))
        self.write(0, 0x10, struct.pack(">II", 0, QUEUE))
        event = os.eventfd(0, os.EFD_NONBLOCK)
        self.ask(8, struct.pack("<IIIII", 20, 0x24, 2, 0, 1), (event,))
        os.close(event)
        self.command(0x104)
        self.command(0x102)
        kernel = self.command(0x802)
        pd = self.command(0x800)
        uar = self.command(0x802)
        eqc = bytearray(64)
        struct.pack_into(">I", eqc, 12, 6 << 24 | kernel)
        eqn = self.create(0x301, 0x10, eqc, RINGS) & 0xFF
        cqc = bytearray(64)
        struct.pack_into(">I", cqc, 0, 1 << 17)  # overruns do not matter
        struct.pack_into(">I", cqc, 12, 6 << 24 | uar)
        struct.pack_into(">I", cqc, 20, eqn)
        struct.pack_into(">Q", cqc, 0x38, RINGS + 0x8000)
        cqn = self.create(0x400, 0x10, cqc, RINGS + 0x2000)
        mkc = bytearray(64)
        struct.pack_into(">II", mkc, 0, 0x1F << 10, 0xFFFFFF00)
        struct.pack_into(">I", mkc, 12, 1 << 31 | pd)  # all of memory
        key = self.create(0x200, 0x10, mkc, None) << 8
        qpc = bytearray(232)
        struct.pack_into(">III", qpc, 0, 3 << 11, pd, 6 << 11)
        struct.pack_into(">I", qpc, 12, uar)
        struct.pack_into(">I", qpc, 31 * 4, cqn)
        struct.pack_into(">I", qpc, 39 * 4, cqn)
        struct.pack_into(">Q", qpc, 160, RINGS + 0x8040)
        struct.pack_into(">I", qpc, 43 * 4, 3 << 24)
        qpn = self.create(0x500, 0x18, qpc, RINGS + 0x4000)
        struct.pack_into(">I", qpc, 36 * 4, 7 << 13)
        struct.pack_into(">I", qpc, 8, 5 << 29 | 30 << 24)
        struct.pack_into(">I", qpc, 20, qpn)
        struct.pack_into(">I", qpc, 28, lid)
        for step in (0x502, 0x503, 0x504):
            body = bytearray(0x110)
            struct.pack_into(">H", body, 0, step)
            struct.pack_into(">I", body, 8, qpn)
            body[0x18 : 0x18 + 232] = qpc
            self.command(step, body)
        self.counter, self.qpn, self.key = 0, qpn, key

    def create(self, opcode, at, context, buffer):
        body = bytearray(0x110)
        body[at : at + len(context)] = context
        for page in range(2 if buffer else 0):
            body += struct.pack(">Q", buffer + 4096 * page)
        return self.command(opcode, body)

    def command(self, opcode, body=bytearray(16)):
        """Returns the number that it answers; what fails fails what follows."""
        body = bytearray(body)
        struct.pack_into(">H", body, 0, opcode)
        entry = bytearray(64)
        entry[0] = 7
        struct.pack_into(">I", entry, 4, len(body))
        entry[0x10:0x20] = body[:16]
        for block in range((len(body) - 16 + 511) // 512):
            addr = MAILBOX + 1024 * block
            self.put(addr, bytes(body[16 + 512 * block : 528 + 512 * block]).ljust(576, b"\0"))
            self.put(addr + 0x230, struct.pack(">QI", addr + 1024, block))
        if len(body) > 16:
            struct.pack_into(">Q", entry, 8, MAILBOX)
        struct.pack_into(">I", entry, 0x38, 16)
        entry[0x3F] = 1
        self.put(QUEUE, bytes(entry))
        self.write(0, 0x18, struct.pack(">I", 1))
        end = time.monotonic() + PATIENCE
        while self.memory[QUEUE + 0x3F] & 1:
            if time.monotonic() > end:
                raise TimeoutError("command 0x%x is not answered" % opcode)
            time.sleep(0.0005)
            self.read(0, 0x1010, 4)
        return struct.unpack(">I", self.memory[QUEUE + 0x28 : QUEUE + 0x2C])[0] & 0xFFFFFF

    def transfer(self, target, size):
        """Posts an RDMA write of its own memory to @target."""
        wqe = struct.pack(">II", self.counter << 8 | 8, self.qpn << 8 | 3) + bytes([0, 0, 0, 8]) + bytes(4)
        wqe += struct.pack(">QII", target, self.key, 0) + struct.pack(">IIQ", size, self.key, DATA)
        self.put(RINGS + 0x4000 + 64 * (self.counter & 63), wqe.ljust(64, b"\0"))
        self.counter = (self.counter + 1) & 0xFFFF
        self.put(RINGS + 0x8044, struct.pack(">I", self.counter))


counts = {}
failures = []


def count(what):
    counts[what] = counts.get(what, 0) + 1


def drive(path, lid, dice, end):
    """One function: lives that end in every way."""
    while time.monotonic() < end and not failures:
        client = Driver(path)
        try:
            client.probe(lid)
            for _ in range(dice.randrange(60)):
                what = dice.choice(("write", "write", "write", "far", "unmap", "hole", "reset", "flr", "read"))
                if what == "write":
                    client.transfer(DATA + 0x80000, dice.choice((8, 4096, 65536, 262144)))
                elif what == "far":
                    client.transfer(0x10000000, dice.choice((64, 8192)))  # by messages
                elif what == "unmap":
                    client.transfer(DATA + 0x80000, 262144)
                    client.unmap(0, MEMORY)
                    client.map(0, MEMORY, 0)
                elif what == "hole":
                    client.map(0x10000000, 65536, None)
                    client.unmap(0x10000000, 65536)
                elif what == "read":
                    client.read(0, dice.choice((0, 0x1010, 0x3000)), 8)
                    client.write(0, 0x3800, struct.pack(">Q", client.qpn << 8))
                else:
                    client.transfer(DATA + 0x80000, 262144)
                    if what == "reset":
                        client.ask(13)
                    else:
                        express = client.read(7, 0x34, 1)[0]
                        while express and client.read(7, express, 1)[0] != 0x10:
                            express = client.read(7, express + 1, 1)[0]
                        client.write(7, express + 8, struct.pack("<H", 0x8000))
                    client.probe(lid)
                count(what)
        except Gone:
            count("gone")
        except (TimeoutError, socket.timeout) as error:
            failures.append("%s: %s" % (path, error))
        finally:
            client.close()
        count("lives")


def endpoint(path, dice, end):
    while time.monotonic() < end and not failures:
        client = Client(path)
        try:
            client.write(7, 0x10, struct.pack("<Q", 0x40000000 * dice.randrange(4)))
            client.write(7, 4, struct.pack("<H", dice.choice((0, 2, 6))))
            for _ in range(dice.randrange(20)):
                client.write(0, 8 * dice.randrange(4096), bytes(8))
                client.read(0, 8 * dice.randrange(4096), 8)
            if dice.randrange(2):
                client.ask(13)
        except Gone:
            count("gone")
        except (TimeoutError, socket.timeout) as error:
            failures.append("%s: %s" % (path, error))
        finally:
            client.close()
        count("endpoint")


def control(path, dice, end):
    lines = ("functions", "subnet", "mark a", "counts gpu0", "reset-counts gpu0", "mkey hca0", "clear-mkey hca0",
             "link hca1 down", "link hca1 up", "commands hca1 on", "commands hca1 off", "st-entries hca0 4", "st-entries hca0 0")
    while time.monotonic() < end and not failures:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(PATIENCE)
        sock.connect(path)
        stream = sock.makefile("rw")
        try:
            for _ in range(dice.randrange(20)):
                stream.write(dice.choice(lines) + "\n")
                stream.flush()
                json.loads(stream.readline())
                count("control")
        except (TimeoutError, socket.timeout) as error:
            failures.append("%s: %s" % (path, error))
        sock.close()
        time.sleep(0.001)


def main():
    emulator, seconds, seed = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    where = tempfile.mkdtemp()
    arguments = [emulator, "--control", where + "/control", "--trace", where + "/trace"]
    for i in (0, 1):
        arguments += ["--hca", "name=hca%d,id=00:0%d.0,lid=%d,socket=%s/hca%d" % (i, 4 + i, i + 1, where, i)]
    arguments += ["--gpu", "name=gpu0,id=00:10.0,size=1M,socket=%s/gpu0" % where]
    if b"--sandbox" in subprocess.run([emulator, "--help"], capture_output=True, check=False).stdout:
        arguments += ["--sandbox=no"]
    environment = dict(os.environ, TSAN_OPTIONS="halt_on_error=1:exitcode=66")
    process = subprocess.Popen(arguments, env=environment, stderr=open(where + "/err", "w"))
    begin = time.monotonic()
    while not os.path.exists(where + "/control"):
        if process.poll() is not None or time.monotonic() - begin > PATIENCE:
            sys.exit("the emulator does not start: " + open(where + "/err").read())
        time.sleep(0.05)
    end = time.monotonic() + seconds
    threads = []
    for i, (work, path, *more) in enumerate((
            (drive, "/hca0", 1), (drive, "/hca1", 2), (endpoint, "/gpu0"), (control, "/control"))):
        dice = random.Random(seed * 16 + i)
        threads.append(threading.Thread(target=guarded, args=(process, work, where + path, *more, dice, end)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            failures.append("it does not end by SIGTERM")
            process.kill()
    said = open(where + "/err").read()
    if process.returncode != 0:
        failures.append("exit status %s" % process.returncode)
    if "ThreadSanitizer" in said:
        at = said.index("WARNING: ThreadSanitizer") if "WARNING: ThreadSanitizer" in said else 0
        failures.append(said[at : at + 6000])
    print("seed %d:" % seed, ", ".join("%d %s" % (counts[what], what) for what in sorted(counts)))
    for failure in failures:
        print("FAILED:", failure)
    sys.exit(bool(failures))


def guarded(process, work, *arguments):
    """What ends the emulator ends the clients, too: the emulator says why."""
    try:
        work(*arguments)
    except (Gone, OSError) as error:
        if process.poll() is None:
            failures.append("%s: %r" % (arguments[0], error))


if __name__ == "__main__":
    main()

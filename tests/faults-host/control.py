#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A client of the emulator's control socket.

faults-control.py SOCKET ask WORD...     prints the answer
faults-control.py SOCKET deaf            asks for ever, reads nothing; says when no more is taken
"""
import socket
import sys
import time


def main():
    path, what, *words = sys.argv[1:]
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    if what == "ask":
        client.sendall((" ".join(words) + "\n").encode())
        print(client.makefile().readline(), end="")
        return
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    client.settimeout(1)
    try:
        while True:
            client.sendall(b"functions\n" * 20)
    except socket.timeout:
        print("no more is taken", flush=True)
    except OSError as error:
        print(f"disconnected: {error.strerror}", flush=True)
    while True:
        time.sleep(60)


main()

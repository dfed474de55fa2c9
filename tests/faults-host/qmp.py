# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's machine protocol: faults-qmp.py SOCKET COMMAND tells it one command without arguments."""
import json
import socket
import sys


def answer(stream):
    """Return the next message that is no event."""
    for line in stream:
        message = json.loads(line)
        if "event" not in message:
            return message
    sys.exit("faults-qmp: QEMU closed its socket")


def main():
    path, command = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        with client.makefile("rw") as stream:
            answer(stream)
            for name in ("qmp_capabilities", command):
                stream.write(json.dumps({"execute": name}) + "\n")
                stream.flush()
                message = answer(stream)
                if "return" not in message:
                    sys.exit(f"faults-qmp: {name}: {message}")


if __name__ == "__main__":
    main()

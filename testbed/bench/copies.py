# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox, beside a guest of ./tph bench: copies by the host's memcpy, when the guest asks.

Usage: copies JOB-DIRECTORY. A file ask-N there has a size in bytes; said-N has the rate then, in 10^6 bytes per second.
Ends with a signal.
"""
import sys
import time
from pathlib import Path

SECONDS = 0.1


def rate(size, seconds=SECONDS):
    """10^6 bytes per second of copies of SIZE bytes, from and to the same memory each time as perftest does."""
    source, target = memoryview(bytearray(b"\x5a" * size)), memoryview(bytearray(size))
    target[:] = source
    copies, start = 0, time.perf_counter()
    while True:
        for _ in range(max(1, (1 << 20) // size)):
            target[:] = source
            copies += 1
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return size * copies / elapsed / 1e6


def answer(directory):
    """Answers what was asked. Returns the number of answers."""
    asked = sorted(directory.glob("ask-*"))
    for path in asked:
        value = rate(int(path.read_text()))
        path.unlink()
        said = directory / path.name.replace("ask-", "said-")
        half = said.with_suffix(".new")
        half.write_text(f"{value:.1f}\n")
        half.rename(said)
    return len(asked)


def main():
    while True:
        answer(Path(sys.argv[1]))
        time.sleep(0.05)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox, beside a guest of ./tph bench: copies by the host's memcpy, when the guest asks.

Usage: copies JOB-DIRECTORY PROGRAM. A file ask-N there has the arguments of PROGRAM (testbed/bench/copies.c); said-N has what it
said then. Ends with a signal.
"""
import subprocess
import sys
import time
from pathlib import Path


def answer(directory, program):
    """Answers what was asked. Returns the number of answers."""
    asked = sorted(directory.glob("ask-*"))
    for path in asked:
        said = subprocess.run([program, *path.read_text().split()], check=True, stdout=subprocess.PIPE, text=True).stdout
        path.unlink()
        whole = directory / path.name.replace("ask-", "said-")
        half = whole.with_suffix(".new")
        half.write_text(said)
        half.rename(whole)
    return len(asked)


def main():
    try:
        while True:
            answer(Path(sys.argv[1]), sys.argv[2])
            time.sleep(0.05)
    except subprocess.CalledProcessError as error:
        # PROGRAM has said why.
        sys.exit(f"tph bench: {' '.join(error.cmd)} ended with status {error.returncode}")


if __name__ == "__main__":
    main()

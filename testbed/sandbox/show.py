# SPDX-License-Identifier: GPL-2.0-only
"""In the sandbox: the table of a kept run.

Usage: show NAME FILE
"""
import importlib
import sys

from testbed.sandbox import documents


def lines(name, document):
    """The DOCUMENT of the run NAME for people."""
    module = importlib.import_module(f"testbed.{documents.name(document)}.table")
    return [f"{name}: {document['date']}, tph {document['tph']}, commit {document['commit'] or 'unknown'}", *module.lines(document)]


def main():
    name, path = sys.argv[1:]
    try:
        print("\n".join(lines(name, documents.read(name, path))))
    except documents.Error as error:
        sys.exit(f"tph show: {error}")
    except KeyError as error:
        sys.exit(f"tph show: {name}: the document lacks {error}")


if __name__ == "__main__":
    main()

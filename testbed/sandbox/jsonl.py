# SPDX-License-Identifier: GPL-2.0-only
"""Files with a JSON document on each line."""
import json
import sys


def read(path):
    """The documents there, none without the file; ends the program when a line is none."""
    result = []
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        try:
            result.append(json.loads(line))
        except ValueError as error:
            sys.exit(f"{path}: line {number} is no JSON: {error}")
    return result


def write(path, documents):
    path.write_text("".join(json.dumps(one) + "\n" for one in documents))

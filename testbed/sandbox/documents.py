# SPDX-License-Identifier: GPL-2.0-only
"""The JSON documents that are kept, listed and compared: those of the commands that have a module testbed/COMMAND/document.py, with
    headline(document)  what came of it, in a few words
    figures(document)   {name: (value, unit)} of what was measured
    states(document)    {name: text} of what can be as it has to be, or not
"""
import importlib
import json
from pathlib import Path

KINDS = sorted(path.parent.name for path in Path(__file__).parents[1].glob("*/document.py"))
SCHEMA = 1


class Error(Exception):
    """A document is not what it has to be; the text says why."""


def verdicts(passed, failed):
    return f"{passed} as expected" + (f", {failed} NOT" if failed else "")


def name(document):
    """The command that DOCUMENT is of; Error when it is none that is known."""
    result = document.get("document") if isinstance(document, dict) else None
    if result not in KINDS:
        raise Error("it is no document of " + ", ".join(KINDS))
    if document.get("schema") != SCHEMA:
        raise Error(f"it has schema {document.get('schema')}, and not {SCHEMA}")
    return result


def kind(document):
    """The module for DOCUMENT; Error when it is none that is known."""
    return importlib.import_module(f"testbed.{name(document)}.document")


def read(where, path):
    """The document at PATH; Error, which names it WHERE, when it is none that is known."""
    try:
        document = json.loads(Path(path).read_text())
        name(document)
    except ValueError as error:
        raise Error(f"{where}: is no JSON: {error}") from error
    except Error as error:
        raise Error(f"{where}: {error}") from error
    return document

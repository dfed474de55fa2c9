# SPDX-License-Identifier: GPL-2.0-only
"""What is in the JSON documents of the commands that measure and prove, for those that list and compare them.

KINDS has a class for each document, with the functions
    headline(document)  what came of it, in a few words
    figures(document)   {name: (value, unit)} of what was measured
    states(document)    {name: text} of what can be as it has to be, or not
"""
from testbed.sandbox import hints


class Error(Exception):
    """A document is not what it has to be; the text says why."""


def verdicts(passed, failed):
    return f"{passed} as expected" + (f", {failed} NOT" if failed else "")


class Run:
    @staticmethod
    def name(row):
        return f"{row['target']} {row['st_mode']}/{row['width']}, {hints.asked(row['requested'])}"

    @staticmethod
    def headline(document):
        good = sum(row["as_expected"] for row in document["runs"])
        return verdicts(good, len(document["runs"]) - good)

    @staticmethod
    def figures(document):
        result = {Run.name(row): (row["perftest"]["bw_avg_MBps"], "MB/s") for row in document["runs"]
                  if row["perftest"]["bw_avg_MBps"] is not None}
        for row in document["host_memory"] or []:
            result[f"host memory, {row['device']}"] = (row["bw_avg_MBps"], "MB/s")
        return result

    @staticmethod
    def states(document):
        return {Run.name(row): " ".join(filter(None, [row["result"], row["errno"], None if row["as_expected"] else "NOT AS EXPECTED"]))
                for row in document["runs"]}


class Matrix:
    @staticmethod
    def headline(document):
        return verdicts(document["passed"], document["failed"])

    @staticmethod
    def figures(document):
        return {what: (document[what], unit) for what, unit in
                (("bytes", "bytes"), ("tlps", "TLPs"), ("mismatches", "bytes"), ("wrong_hint", "TLPs"), ("refused", "cells"))}

    @staticmethod
    def states(document):
        return {f"{cell['program']}: {cell['target']} {cell['operation']} {cell['mode']}/{cell['width']}, {hints.asked(cell['requested'])}, "
                f"{cell['size']} bytes x {cell['qps']} QPs": "; ".join([cell["verdict"]] + cell["causes"])
                for cell in document["cells"]}


class Example:
    @staticmethod
    def headline(document):
        return verdicts(document["passed"], document["failed"])

    @staticmethod
    def figures(document):
        return {f"{row['example']} on {row['device']}, {what}": (sum(one[what] for one in row["completer"]), "TLPs")
                for row in document["runs"] for what in ("writes", "reads")}

    @staticmethod
    def states(document):
        return {f"{row['example']} on {row['device']}": "; ".join([row["verdict"]] + row["causes"]) for row in document["runs"]}


class Cost:
    @staticmethod
    def headline(document):
        return f"medians of {document['runs']} runs"

    @staticmethod
    def figures(document):
        result = {}
        for row in document["registration"]:
            for what in ("register", "deregister"):
                result[f"{what}, {row['kind']}, {row['kernel']} kernel"] = (row[what]["median"] / 1000, "us")
        for row in document["many"]:
            result[f"register, {row['count']} regions on {row['device']}, tags: {row['tags']}"] = (row["register"]["median"] / 1000, "us")
        for row in document["traffic"]:
            result[f"{row['size']} bytes, {row['hint']}"] = (row["MBps"]["median"], "MB/s")
            result[f"{row['size']} bytes, {row['hint']}, rate"] = (row["messages_per_s"]["median"], "messages/s")
        for name, ratio in document["ratios"].items():
            if ratio:
                result[name] = (ratio["median"], "ratio")
        return result

    @staticmethod
    def states(document):
        return {f"{row['count']} regions on {row['device']}, tags: {row['tags']}": f"{row['hinted']} hinted, {row['fallback']} without"
                for row in document["many"]}


class Bench:
    @staticmethod
    def headline(document):
        wrong, other = len(document["wrong"]), len(document.get("requests", {}).get("wrong", []))
        return (f"medians of {document['rounds']} rounds" + (f", {wrong} figures MISSING" if wrong else "") +
                (f", {other} counts DIFFER from the trace" if other else ""))

    @staticmethod
    def figures(document):
        result = {}
        for row in document["measures"]:
            name = f"{row['name']}, {row['size']} bytes, {row['qps']} QPs"
            for system, one in row["systems"].items():
                result[f"{name}: {system}"] = (one["median"], row["unit"])
            for key, one in row["ratios"].items():
                result[f"{name}: ratio to {key}"] = (one["median"], "ratio")
        return result

    @staticmethod
    def states(document):
        return {**{text: "MISSING" for text in document["wrong"]},
                **{text: "DIFFERS from the trace" for text in document.get("requests", {}).get("wrong", [])}}


class Report:
    @staticmethod
    def headline(document):
        wrong = len(document["wrong"])
        return f"medians of {document['repeats']} runs" + (f", {wrong} NOT as it has to be" if wrong else "")

    @staticmethod
    def figures(document):
        names = {one["id"]: one["name"] for one in document["series"]}
        return {f"{document[metric]['title']}, {names[point['series']]}, {point['size']} bytes": (point["median"], document[metric]["unit"])
                for metric in ("bandwidth", "latency") for point in document[metric]["points"]}

    @staticmethod
    def states(document):
        return {text: "NOT as it has to be" for text in document["wrong"]}


class Conformance:
    @staticmethod
    def headline(document):
        return ", ".join(f"{sum(one[what] for one in document['suites'])} {what}" for what in ("passed", "failed"))

    @staticmethod
    def figures(document):
        return {f"{one['name']} on {one['device']}, {what}": (one[what], "cases")
                for one in document["suites"] for what in ("passed", "failed")}

    @staticmethod
    def states(document):
        result = {}
        for one in document["suites"]:
            where = f"{one['name']} on {one['device']}: "
            result.update({where + case: "pass" for case in one["passes"]})
            result.update({where + case["case"]: f"fail: {case['cause']}" for case in one["failures"]})
        return result


KINDS = {"run": Run, "matrix": Matrix, "example": Example, "cost": Cost, "bench": Bench, "report": Report, "conformance": Conformance}
SCHEMA = 1


def kind(document):
    """The class for DOCUMENT; Error when it is none that is known."""
    name = document.get("document") if isinstance(document, dict) else None
    if name not in KINDS:
        raise Error("it is no document of " + ", ".join(KINDS))
    if document.get("schema") != SCHEMA:
        raise Error(f"it has schema {document.get('schema')}, and not {SCHEMA}")
    return KINDS[name]

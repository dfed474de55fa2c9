# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/coverage: lines and branches of all objects and boots together, exceptions, and what is wrong with them."""
import json
import unittest

from testbed.coverage import report, table

ADDED = "a.c\t10\t\tif (x)\na.c\t11\t\t\treturn\t1;\na.c\t12\t}\nb.h\t5\tTRACE_EVENT(one,\nb.h\t6\t\treturn 0;\nb.h\t7\tnothing\n"
EXCEPTIONS = "# comment\n\na.c\tf\tif (x)\t1\tit is never 0\nb.h\tg\treturn 0;\tline\tno such hardware\n"


def line(number, count, function, *branches):
    return {"line_number": number, "count": count, "function_name": function, "branches": [{"count": one} for one in branches]}


def gcov(*files):
    return {"files": [{"file": f"/run/build/src/{name}", "lines": list(lines)} for name, *lines in files]}


BOOTS = [gcov(("a.c", line(10, 3, "f", 3, 0), line(11, 0, "f"), line(99, 5, "f")), ("other.c", line(10, 9, "f"))),
         gcov(("a.c", line(10, 2, "f", 0, 0)), ("b.h", line(5, 1, "g", 1, 0, 0), line(6, 0, "g")))]


class Report(unittest.TestCase):
    def setUp(self):
        self.added = report.added_lines(ADDED)
        self.unreachable = [{"file": "b.h", "function": "g", "text": "return 0;", "branches": 0, "reason": "no such hardware"}]
        self.branch = {"file": "a.c", "function": "f", "text": "if (x)", "branches": 1, "reason": "it is never 0"}

    def judged(self, *more):
        return report.report(self.added, self.unreachable, BOOTS + list(more))

    def test_input(self):
        self.assertEqual(self.added[0], {"file": "a.c", "line": 10, "text": "if (x)"})
        self.assertEqual(self.added[1]["text"], "return\t1;")
        self.assertEqual(report.exceptions(EXCEPTIONS), [self.branch, self.unreachable[0]])
        self.assertRaises(ValueError, report.exceptions, "a.c\tf\treturn 1;\tfour fields\n")
        text = "".join(json.dumps(one) + end for one, end in zip(BOOTS, ("\n", "")))
        self.assertEqual(list(report.documents(text)), BOOTS)
        self.assertEqual(list(report.documents(text.replace("\n", "") + " \n")), BOOTS)

    def test_counts(self):
        document = self.judged()
        self.assertEqual(document["total"], {"lines": 3, "lines_run": 2, "branches": 2, "branches_taken": 1, "lines_percent": 66.6,
                                             "branches_percent": 50})
        self.assertEqual([(one["file"], one["lines"], one["lines_run"], one["branches_percent"]) for one in document["files"]],
                         [("a.c", 2, 1, 50), ("b.h", 1, 1, 100)])
        self.assertEqual(document["not_run"], [{"file": "a.c", "line": 11, "function": "f", "text": "return\t1;"}])
        self.assertEqual(document["not_taken"], [{"file": "a.c", "line": 10, "function": "f", "text": "if (x)", "branches": [3, 0]}])
        self.assertEqual(document["unreachable"], [{"file": "b.h", "line": 6, "function": "g", "text": "return 0;", "reason": "no such hardware"}])
        self.assertEqual(document["wrong_exceptions"], [])

    def test_boots_together(self):
        document = self.judged(gcov(("a.c", line(10, 1, "f", 0, 7), line(11, 1, "f"))))
        self.assertEqual((document["not_run"], document["not_taken"], document["total"]["lines_percent"]), ([], [], 100))

    def test_never_reached(self):
        """Of a line that does not run nobody says that its branches are not taken."""
        document = self.judged(gcov(("a.c", line(12, 0, "f", 0, 0))))
        self.assertEqual([[row["line"] for row in document[key]] for key in ("not_run", "not_taken")], [[11, 12], [10]])

    def test_inlined(self):
        """Each function that a line was compiled into has branches of its own."""
        document = self.judged(gcov(("a.c", line(10, 4, "inlined", 2, 2))))
        self.assertEqual(document["not_taken"][0]["branches"], [3, 0, 2, 2])

    def test_exceptions(self):
        """One that runs, one whose line is gone, and one of another function are wrong."""
        document = self.judged(gcov(("b.h", line(6, 1, "g"))))
        self.assertEqual((document["wrong_exceptions"], document["unreachable"]), (self.unreachable, []))
        self.assertEqual(document["total"]["lines"], 4)
        for key in ("file", "function", "text"):
            wrong = {**self.unreachable[0], key: "x"}
            document = report.report(self.added, [wrong], BOOTS)
            self.assertEqual((document["wrong_exceptions"], document["unreachable"]), ([wrong], []))
            self.assertEqual(len(document["not_run"]), 2)

    def test_branches(self):
        """A branch that is never taken does not count; as many as are said, or it is wrong."""
        self.unreachable.append(self.branch)
        document = self.judged()
        self.assertEqual((document["not_taken"], document["wrong_exceptions"], document["total"]["branches"]), ([], [], 1))
        self.assertIn("a branch never taken: a.c:10: f(): if (x) (it is never 0)", table.lines(document))
        for more in (gcov(("a.c", line(10, 1, "f", 0, 1))), gcov(("a.c", line(10, 1, "f", 0, 0, 0)))):
            self.assertEqual(self.judged(more)["wrong_exceptions"], [self.branch])
        self.branch["text"] = "gone"
        self.assertEqual(self.judged()["wrong_exceptions"], [self.branch])

    def test_nothing(self):
        self.assertEqual(report.report([], [], BOOTS)["total"]["lines_percent"], 100)
        self.assertEqual(report.percent(999, 1000), 99.9)
        self.assertEqual(report.percent(9999, 10000), 99.9)

    def test_table(self):
        said = table.lines(self.judged(gcov(("b.h", line(6, 1, "g")))))
        self.assertEqual(said, [
            "a.c                                                             1/2     50%       1/2     50%",
            "b.h                                                             2/2    100%       0/0    100%",
            "all                                                             3/4     75%       1/2     50%",
            "not run: a.c:11: f(): return\t1;", "a branch not taken: a.c:10: f(): if (x)",
            "wrong in kernel/coverage-exceptions: b.h: g(): return 0;"])
        self.assertIn("unreachable: b.h:6: g(): return 0; (no such hardware)", table.lines(self.judged()))


if __name__ == "__main__":
    unittest.main()

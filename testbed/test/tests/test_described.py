# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/test/described.py: each kind of difference between page and document is found."""
import unittest

from testbed.test import described

PAGE = """
## Every document

| member | type | meaning |
|---|---|---|
| `document` | string | which |

## `one`

| member | type | meaning |
|---|---|---|
| `rows[].name` | string | a name |
| `rows[].size` | number or null | a size |
| `rows[].more` | boolean (may be missing) | more |
| `list` | list or null | anything |
| `by.*` | number | by name |
"""
GOOD = {"document": "one", "rows": [{"name": "a", "size": 1}, {"name": "b", "size": None, "more": True}], "list": None, "by": {"x": 1}}


class Described(unittest.TestCase):
    def test_good(self):
        self.assertEqual(described.check(PAGE, GOOD), [])
        self.assertEqual(described.check(PAGE, {**GOOD, "rows": [], "list": [1, {"x": "y"}], "by": {}}), [])

    def test_differences(self):
        for change, said in (
                ({"document": "two"}, "no document 'two' is described"), ({"extra": 1}, "extra is not described"),
                ({"rows": {}}, "rows is {}, not list"), ({"rows": [{"name": "a"}]}, "rows[].size is described, but missing"),
                ({"rows": [{"name": 1, "size": 1}]}, "rows[].name is 1, not string"),
                ({"rows": [{"name": "a", "size": True}]}, "rows[].size is true, not null or number"),
                ({"rows": [{"name": "a", "size": 1, "x": 1}]}, "rows[].x is not described"),
                ({"list": 5}, "list is 5, not list or null"), ({"by": {"x": "y"}}, 'by.x is "y", not number'),
                ({"by": []}, "by is [], not object")):
            self.assertEqual(described.check(PAGE, {**GOOD, **change}), [said])
        self.assertEqual(described.check(PAGE, []), ["no document None is described"])
        less = dict(GOOD)
        del less["list"]
        self.assertEqual(described.check(PAGE, less), ["list is described, but missing"])

    def test_page(self):
        with self.assertRaises(ValueError):
            described.sections(PAGE.replace("number or null", "digit"))


if __name__ == "__main__":
    unittest.main()

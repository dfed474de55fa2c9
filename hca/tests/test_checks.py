#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
import unittest

import circles
import fields

NM = """libhca.a:sq.c.o:0000000000000000 T hca_qp_poll
libhca.a:sq.c.o:                 U hca_rc_step
libhca.a:sq.c.o:                 U malloc
libhca.a:rc.c.o:0000000000000010 T hca_rc_step
libhca.a:rc.c.o:0000000000000020 t step
libhca.a:rc.c.o:                 U hca_link_turn
libhca.a:link.c.o:0000000000000000 D hca_ops
libhca.a:link.c.o:0000000000000000 T hca_link_turn
"""


class Circles(unittest.TestCase):
    def graph(self, more=""):
        return circles.calls(circles.symbols(NM + more))

    def test_none(self):
        self.assertEqual(self.graph(), {"sq": {"rc": {"hca_rc_step"}}, "rc": {"link": {"hca_link_turn"}}, "link": {}})
        self.assertEqual(circles.report(self.graph()), [])

    def test_two(self):
        self.assertEqual(circles.report(self.graph("libhca.a:rc.c.o:  U hca_qp_poll\n")), [
            "a circle of 2 files: rc sq",
            "  rc.c needs hca_qp_poll of sq.c",
            "  sq.c needs hca_rc_step of rc.c"])

    def test_all(self):
        self.assertEqual(circles.circles(self.graph("libhca.a:link.c.o:  U hca_qp_poll\n")), [{"sq", "rc", "link"}])

    def test_data(self):
        """A table is something to need, too."""
        self.assertEqual(circles.report(self.graph("libhca.a:mmio.c.o: U hca_ops\n")), [])
        self.assertEqual(len(circles.circles(self.graph("libhca.a:mmio.c.o: U hca_ops\nlibhca.a:mmio.c.o: 0 R map\n"
                                                        "libhca.a:link.c.o: U map\n"))), 1)

    def test_shortest(self):
        graph = {"a": {"b": {"x"}}, "b": {"c": {"y"}, "d": {"z"}}, "c": {"d": {"v"}}, "d": {"a": {"w"}}}
        self.assertEqual(circles.report(graph), ["a circle of 4 files: a b c d", "  a.c needs x of b.c", "  b.c needs z of d.c",
                                                 "  d.c needs w of a.c"])

    def test_two_circles(self):
        graph = {"a": {"b": {"x"}}, "b": {"a": {"y"}, "c": {"z"}}, "c": {"d": {"v"}}, "d": {"c": {"w"}}, "e": {"a": {"x"}}}
        self.assertEqual(circles.circles(graph), [{"a", "b"}, {"c", "d"}])


class Fields(unittest.TestCase):
    def test_named(self):
        self.assertEqual(fields.bare("field_get(cqc, CQC_ST); field_put(p[2], CQC_ST, 3 + f(1, 2));\n"
                                     "be32_at(cmd->in, OBJ_ID); be64_put(out, AT + 8 * (size_t)i, 5);"
                                     "field_put(p, f->dw, f->hi, f->lo, 1);"), [])

    def test_bare(self):
        self.assertEqual(fields.bare("\nfield_get(cqc, 0, 31, 28)"), [(2, "field_get(cqc, 0, 31, 28)")])
        self.assertEqual(fields.bare("field_put(cqc, DW, 31, 28, x)"), [(1, "field_put(cqc, DW, 31, 28, x)")])
        for place in ("0x10", "8u", "ITEM + 4", "4 + 8 * i", "END - 0x20"):
            self.assertEqual(fields.bare("be16_at(p, %s)" % place), [(1, "be16_at(p, %s)" % place)])

    def test_over_lines(self):
        self.assertEqual(fields.bare("field_get(qpc,\n\t0, 3, 1)"), [(1, "field_get(qpc, 0, 3, 1)")])


if __name__ == "__main__":
    unittest.main()

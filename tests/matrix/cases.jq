# SPDX-License-Identifier: GPL-2.0-only
# Cells of a report as cases of a test; those that fail with their cause.
.cells[]
| [.verdict, ([.program, .target, .operation, "\(.mode)/\(.width)", "st=\(.requested.st)",
    "ext=\(.requested.st_ext)", "ph=\(.requested.ph)", "\(.size)x\(.qps)"] | join(","))]
  + (if .causes == [] then [] else [.causes | join("; ")] end) | join(" ")

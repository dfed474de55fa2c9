# SPDX-License-Identifier: GPL-2.0-only
# report.json for a terminal.
def pad($n): tostring | . + (" " * ([$n - length, 0] | max));
def lpad($n): tostring | (" " * ([$n - length, 0] | max)) + .;
def figure: if . == null then "-" elif . < 10 then (. * 100 | round / 100) elif . < 100 then (. * 10 | round / 10)
  else round end | tostring;
def size: if . >= 1048576 then "\(. / 1048576) MiB" elif . >= 1024 then "\(. / 1024) KiB" else "\(.) B" end;
def hint: if .st == null then "none" else "\(.st)/\(.st_width)b ph \(.ph)" end;
def metric($report): . as $m
  | ([$m.points[].size] | unique) as $sizes
  | "", "\($m.title), \($m.unit): median of \($report.repeats) (\($m.program); CPU copy: memcpy)",
    ("" | pad(36)) + ([$sizes[] | size | lpad(10)] | join("")),
    ($report.series[] | .id as $id | (.name | pad(36))
      + ([$sizes[] as $size | [$m.points[] | select(.series == $id and .size == $size)][0].median | figure | lpad(10)]
         | join(""))),
    ("with the hint / without" | pad(36))
      + ([$sizes[] as $size | [$m.hint_ratio[] | select(.size == $size)][0].median | figure | lpad(10)] | join(""));
. as $report
| "Linux \(.kernel), QEMU \(.qemu), emulated HCA: figures are for comparison within this run only",
  (.missing[] | "not in this kernel: \(.name)"),
  (if .again.clock > 0 then "runs repeated since perftest found no rate of the clock: \(.again.clock)" else empty end),
  (if .again.failed > 0 then "runs repeated since soft-RoCE or soft-iWARP failed: \(.again.failed)" else empty end),
  (.bandwidth | metric($report)), (.latency | metric($report)),
  "", "tags at the completer:",
  ("  tag" | pad(20)) + (["messages", "TLPs sent", "TLPs counted"] | map(lpad(14)) | join("")),
  (.tags[] | ("  " + hint | pad(20)) + ([.messages, .wire, .completer] | map(lpad(14)) | join(""))),
  "", "requests into the BAR while measuring: \(.hints."bar-tph".requests) with the hint asked for, "
      + "\(.hints.bar.requests) without any",
  (.chains[] | "", "one write, \(.width)-bit tag (\(.requested)):",
    (.steps[] | "  \(.layer | pad(11)) \(.title)",
      (.rows[] | select(any(.fields[]; .[2])) | "              "
        + (if .hex == "" then "" else (.at | pad(8)) + (.hex | pad(22)) + "  " end)
        + ([.fields[] | select(.[2]) | "\(.[0]) = \(.[1])"] | join("; "))))),
  (.gaps[] | "to compare with, but not there: \(.)"),
  (.wrong[] | "NOT AS IT HAS TO BE: \(.)")

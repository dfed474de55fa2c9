# SPDX-License-Identifier: GPL-2.0-only
# report.json as a table.
def pad($n): tostring | . + (" " * ([$n - length, 0] | max));
def lpad($n): tostring | (" " * ([$n - length, 0] | max)) + .;
def tag($h): if $h == null or $h.st == null then "-" else "\($h.st)/\($h.st_width)b ph \($h.ph)" end;
def requested:
  if .st == null and .st_ext == null then "none"
  else ([if .st != null then "ST \(.st)" else empty end,
         if .st_ext != null then "Ext \(.st_ext)" else empty end, "ph \(.ph)"] | join(" ")) end;
def line: (.[0] | pad(11)) + (.[1] | pad(10)) + (.[2] | pad(16)) + (.[3] | pad(16))
  + (.[4] | pad(18)) + (.[5] | lpad(9)) + (.[6] | lpad(8)) + (.[7] | lpad(6)) + (.[8] | lpad(7))
  + "  " + (.[9] | pad(6)) + .[10] | sub(" +$"; "");
"Linux \(.kernel), QEMU \(.qemu), IOMMU \(.iommu)",
(["target", "mode", "requested", "memory key", "result", "BAR TLPs", "hinted", "wrong", "MB/s",
  "bytes", ""] | line),
(.runs[] | [.target, "\(.st_mode)/\(.width)", (.requested | requested),
   (if .result != "ok" then "-" elif .mkey.tph then tag(.mkey) else "no hint" end),
   (if .result == "ok" then "ok" else "\(.result) \(.errno // "")" end),
   .tlp.bar_writes, .tlp.with_hint, (.tlp.wrong_hint + .tlp.hint_elsewhere),
   (if .perftest.bw_avg_MBps then .perftest.bw_avg_MBps | round else "-" end),
   (if .data_verified == null then "-" elif .data_verified then "equal" else "DIFFER" end),
   (if .as_expected then "" else "NOT AS EXPECTED (\(.expected))" end)] | line),
(if (.host_memory // []) | length > 0 then
   "", "host memory, ib_write_bw, messages of \(.host_memory[0].size) bytes:",
   (.host_memory[] | "  \(.device | pad(10)) \(.bw_avg_MBps | round) MB/s")
 else empty end)

# SPDX-License-Identifier: GPL-2.0
# The report of ./tph cost as tables.
def pad($n): tostring | . + (" " * ([$n - length, 0] | max));
def lpad($n): tostring | (" " * ([$n - length, 0] | max)) + .;
def us: . / 10 | round / 100;
def spread(f): "\(.median | f | lpad(10))  \("\(.q1 | f)..\(.q3 | f)" | pad(20))";
"Linux \(.kernel), \(.runs) runs: medians, and quartiles as spread; an emulation's times, so compare within a table",
"", "registration, us        kernel       register  spread              deregister  spread",
(.registration[] | "  \(.kind | pad(20))  \(.kernel | pad(8)) \(.register | spread(us))  \(.deregister | spread(us))"),
"", "regions side by side, us each       register  spread              deregister  hinted  fallback",
(.many[] | "  \(.device | pad(7)) \(.count | lpad(6)), tags: \(.tags | pad(9))\(.register | spread(us))\(.deregister.median | us | lpad(10))\(.hinted | lpad(8))\(.fallback | lpad(10))"),
"", "ib_write_bw into the BAR          MB/s  spread              messages/s  spread",
(.traffic[] | "  \(.size | lpad(6)) bytes, \(if .hint == "none" then "no hint" else "ST, ph 2" end | pad(10))\(.MBps | spread(. * 10 | round / 10))  \(.messages_per_s | spread(round))"),
"", "ratios",
(.ratios | to_entries[] | "  \(.key | pad(55)) \(.value // "-")")

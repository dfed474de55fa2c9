# SPDX-License-Identifier: GPL-2.0-only
# The report of ./tph cost as tables.
def pad($n): tostring | . + (" " * ([$n - length, 0] | max));
def lpad($n): tostring | (" " * ([$n - length, 0] | max)) + .;
def us: . / 10 | round / 100;
def spread(f): "\(.median | f | lpad(10))  \("\(.q1 | f)..\(.q3 | f)" | pad(19))";
def region: "  \(.device | pad(7)) \(.count | lpad(6)), tags: \(.tags | pad(10))"
  + "\(.register | spread(us))\(.deregister.median | us | lpad(12))\(.hinted | lpad(8))\(.fallback | lpad(10))";
def flow: "  \(.size | lpad(6)) bytes, \(if .hint == "none" then "no hint" else "ST, PH 2" end | pad(16))"
  + "\(.MBps | spread(. * 10 | round / 10))  \(.messages_per_s | spread(round))";
"Linux \(.kernel), \(.runs) runs: medians, and quartiles. The times are an emulation's: compare within a table.",
"",
"registration, us        kernel    register  quartiles          deregister  quartiles",
(.registration[]
 | "  \(.kind | pad(22))\(.kernel | pad(8))\(.register | spread(us)) \(.deregister | spread(us))"),
"",
"regions side by side, us each      register  quartiles          deregister  hinted  fallback",
(.many[] | region),
"",
"ib_write_bw into the BAR               MB/s  quartiles           messages/s  quartiles",
(.traffic[] | flow),
"",
"ratios, run by run                                         median  quartiles",
(.ratios | to_entries[]
 | "  \(.key | pad(55))\(if .value then .value | spread(.) else "         -" end)")

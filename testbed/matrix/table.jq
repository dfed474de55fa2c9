# SPDX-License-Identifier: GPL-2.0-only
# The report of ./tph matrix as a table; failed cells by name.
def pad($n): tostring | . + (" " * ([$n - length, 0] | max));
def lpad($n): tostring | (" " * ([$n - length, 0] | max)) + .;
def sum(f): map(f) | add // 0;
def line: (.[0] | pad(13)) + (.[1] | pad(11)) + (.[2] | pad(7)) + (.[3] | pad(11)) + (.[4] | lpad(6))
  + (.[5] | lpad(8)) + (.[6] | lpad(8)) + (.[7] | lpad(8)) + (.[8] | lpad(13)) + (.[9] | lpad(11))
  + (.[10] | lpad(10)) + (.[11] | lpad(7));
def hint: if .st == null and .st_ext == null then "no hint"
  else [(if .st != null then "ST \(.st)" else empty end),
        (if .st_ext != null then "Ext \(.st_ext)" else empty end), "ph \(.ph)"] | join(" ") end;
def name: "\(.program): \(.target) \(.operation) \(.mode)/\(.width), \(.requested | hint), "
  + "\(.size) bytes x \(.qps) QPs";
"Linux \(.kernel), QEMU \(.qemu), IOMMU \(.iommu)",
(["program", "target", "op", "mode", "cells", "failed", "hinted", "refused", "bytes", "TLPs", "differ",
  "wrong"]
 | line),
(.cells | group_by([.program, .target, .operation, .mode, .width])[]
 | [.[0].program, .[0].target, .[0].operation, "\(.[0].mode)/\(.[0].width)", length,
    (map(select(.verdict == "fail")) | length), (map(select(.applied)) | length),
    (map(select(.refused)) | length), sum(.bytes), sum(.tlps), sum(.mismatches), sum(.wrong_hint)] | line),
(.histogram[] | "\(.target): \(.hints | map(select(.hint)) | length) different hints counted, "
 + "\(.hints | map(select(.hint)) | sum(.writes)) writes and \(.hints | map(select(.hint)) | sum(.reads)) reads"),
(.cells[] | select(.verdict == "fail") | "FAILED \(name): \(.causes | join("; "))"),
"\(.passed) cells as expected, \(.failed) not; \(.refused) hints refused where they have to be",
"\(.bytes) bytes verified, \(.mismatches) differ; \(.tlps) TLPs, \(.wrong_hint) with a wrong hint"

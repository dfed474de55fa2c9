# SPDX-License-Identifier: GPL-2.0-only
# The report of ./tph example for a terminal.
def lpad($n): tostring | (" " * ([$n - length, 0] | max)) + .;
def row: "    " + (.[0] | lpad(6)) + (.[1] | lpad(7)) + (.[2] | lpad(4)) + (.[3] | lpad(8)) + (.[4] | lpad(9))
  + (.[5] | lpad(8)) + (.[6] | lpad(9));
def said: "$ \(.command)", (.said[] | "  \(.)");
"Linux \(.kernel), QEMU \(.qemu), IOMMU \(.iommu)",
(.runs[]
 | "",
   "example \(.example), the BAR of gpu0 behind \(.device), which sends \(.width)-bit tags:",
   (.server // {command: "(no result)", said: []} | said),
   ((.clients | arrays | (.[0] | said),
     (if length > 1 then "  ... and \(length - 1) more clients" else empty end)) // empty),
   "  what the completer counted:",
   (["tag", "width", "PH", "writes", "bytes", "reads", "bytes"] | row),
   (.completer[] | [.hint.st // "none", .hint.st_width // "-", .hint.ph // "-", .writes, .write_bytes, .reads,
     .read_bytes] | row),
   "  \(if .agree then "the same as" else "NOT what" end) \(.device) sent; TLPs elsewhere with a hint: \(.hinted_elsewhere)",
   (.causes[] | "  FAILED: \(.)")),
"",
"\(.passed) examples as expected, \(.failed) not"

# SPDX-License-Identifier: GPL-2.0-only
# $plan: the lines of plan.sh; $results: what the guest saw; $flows: what was on the wire after each mark.
# The report of ./tph example. A client writes 16 messages of 4096 bytes, and reads them back.
def sum(f): map(f) | add // 0;
def by_hint: sort_by([.hint.st_width, .hint.st, .hint.ph]);
# The tags in lines of programs.
def tags: [.[] | capture("tag (?<st>[0-9]+), PH (?<ph>[0-9]+), (?<st_width>[0-9]+)-bit") | map_values(tonumber)
  | {ph, st, st_width}] | sort_by(.st);
def lines($with): map(select(contains($with))) | length;

# Reads and writes of the endpoint, per hint, as the completer counts them.
def as_counted: group_by(.hint) | map({hint: .[0].hint,
  writes: (map(select(.type == "write")) | sum(.tlps)), reads: (map(select(.type == "read")) | sum(.tlps)),
  write_bytes: (map(select(.type == "write")) | sum(.bytes)),
  read_bytes: (map(select(.type == "read")) | sum(.bytes))}) | by_hint;

def judge($seen; $flows):
  . as $plan | 65536 as $bytes
  | [range(.clients) | {ph: 2, st: ($plan.tag + .), st_width: $plan.width}] as $expected
  | (($seen.completer // []) | map(select(.writes + .reads > 0)) | by_hint) as $completer
  | ($flows | map(select(.source == $plan.hca and .target == "gpu0"))) as $near
  | ($near | as_counted) as $wire
  | ($flows | map(select(.hint and ((.source == $plan.hca and .target == "gpu0") | not))) | sum(.tlps)) as $elsewhere
  | ([$seen.clients[]?.said[]]) as $said
  | [if $seen == null then "no result"
     else
       (if $seen.server.status != 0 then "the server ended with status \($seen.server.status)" else empty end),
       ($seen.clients[] | select(.status != 0) | "a client ended with status \(.status)"),
       (if ($seen.server.said | tags) != $expected then "memory keys have other hints" else empty end),
       (if ($said | tags) != $expected then "clients were offered other hints" else empty end),
       (if ($seen.server.said | lines("verified: \($bytes) bytes")) != .clients then "not all was verified" else empty end),
       (if ($said | lines("read back \($bytes) bytes: equal")) != .clients then "not all was read back" else empty end),
       (if ($completer | map(.hint)) != $expected then "other hints at the completer" else empty end),
       (if any($completer[]; .write_bytes != $bytes or .read_bytes != $bytes) then
          "other bytes at the completer" else empty end),
       (if $wire != $completer then "the completer counted others than were on the wire" else empty end),
       (if $elsewhere > 0 then "\($elsewhere) TLPs elsewhere have a hint" else empty end)
     end] as $causes
  | . + {server: $seen.server, clients: $seen.clients, completer: $completer, wire: $wire,
         hinted_elsewhere: $elsewhere, agree: ($wire == $completer),
         verdict: (if $causes == [] then "pass" else "fail" end), causes: $causes};

(INDEX($results[]; .number)) as $seen
| (INDEX($flows[]; .mark) | map_values(.flows)) as $by_mark
| [$plan | split("\n")[] | select(. != "") | split(" ")
   | {number: (.[0] | tonumber), example: .[1], hca: "hca\(.[2])", device: "mlx5_\(.[2])",
      width: (.[3] | tonumber), tag: (.[5] | tonumber), clients: (.[6] | tonumber)}
   | judge($seen[.number | tostring]; $by_mark["example-\(.number)"] // [])]
| {kernel: ($kernel | rtrimstr("\n")), qemu: $qemu, iommu: $iommu,
   passed: (map(select(.verdict == "pass")) | length),
   failed: (map(select(.verdict == "fail")) | length), runs: .}

# SPDX-License-Identifier: GPL-2.0-only
# Input: the plan. $results: what the guest saw, $flows: what was on the wire after each mark,
# $runs: ib_write_bw, judged as ./tph run does. The report of ./tph matrix.
def sum(f): map(f) | add // 0;
def same($a; $b): [$a.ph, $a.st, $a.st_width] == [$b.ph, $b.st, $b.st_width];
def sorted: map(select(.tlps > 0)) | sort_by([.hint.st_width, .hint.st, .hint.ph]);

# Of a cell and the flows since its mark: those of the HCA function to the target, and the others.
def wire($flows):
  {gpu: "gpu0", nvme: "nvme0"}[.target] as $device
  | (if .operation == "read" then "read" else "write" end) as $type
  | "hca\(.hca)" as $source
  | (if .target == "qemu-nvme" then "message" else "memory" end) as $route
  | def near: .source == $source and .type == $type
      and (if $device then .target == $device else .target == null and .route == $route end);
    {near: ($flows | map(select(near))),
     elsewhere: ($flows | map(select(.hint and (near | not))) | sum(.tlps))};

def judge($seen; $flows):
  wire($flows) as $wire
  | (if .operation == "read" then "reads" else "writes" end) as $tlps
  | (if .operation == "read" then "read_bytes" else "write_bytes" end) as $bytes
  | (if .expected.moved then .size * .qps * .messages else 0 end) as $payload
  | .expected.applied as $hint
  | ($seen.completer // null) as $counted
  | (($wire.near | map(select(same(.hint; $hint) | not)) | sum(.tlps)) + $wire.elsewhere) as $on_wire
  | (($counted // []) | map(select(same(.hint; $hint) | not)) | sum(.writes + .reads)) as $at_completer
  | [if $seen == null then "no result"
     else
       (if $seen.refused != .expected.refused then
          "refused \($seen.refused.errno // "nothing"), expected \(.expected.refused.errno // "nothing")"
        else empty end),
       (if same($seen.applied; $hint) | not then "memory key has another hint" else empty end),
       (if $seen.moved != .expected.moved then "memory region" else empty end),
       (if $seen.status != "success" then "completion: \($seen.status)" else empty end),
       (if $seen.bytes != $payload then "\($seen.bytes) bytes verified, not \($payload)" else empty end),
       (if $seen.mismatches > 0 then "\($seen.mismatches) bytes differ" else empty end),
       (if $on_wire > 0 then "\($on_wire) TLPs with another hint on the wire" else empty end),
       (if $at_completer > 0 then "\($at_completer) TLPs with another hint at the completer" else empty end),
       (if .target != "host" and ($wire.near | sum(.bytes)) != $payload then
          "\($wire.near | sum(.bytes)) bytes on the wire, not \($payload)" else empty end),
       (if $counted and ([$counted | sum(.read_bytes + .write_bytes), sum(.[$bytes])] | any(. != $payload)) then
          "\($counted | sum(.[$bytes])) bytes at the completer, not \($payload)" else empty end),
       (if $counted and ($counted | map({hint, tlps: .[$tlps]}) | sorted)
            != ($wire.near | map({hint, tlps}) | sorted) then
          "the completer counted others than were on the wire" else empty end)
     end] as $causes
  | {program: "matrix", target, operation, mode, width, requested, refused: $seen.refused,
     applied: $seen.applied, size, qps, messages, bytes: ($seen.bytes // 0),
     mismatches: ($seen.mismatches // 0), wrong_hint: ([$on_wire, $at_completer] | max),
     tlps: ($wire.near | sum(.tlps)), completer: $counted,
     verdict: (if $causes == [] then "pass" else "fail" end), causes: $causes};

# A run of ib_write_bw: the last message is compared; perftest does not say how many bytes differ.
def perftest:
  {program: "ib_write_bw", target, operation: "write", mode: .st_mode, width, requested,
   refused: (if .result == "refused" then {step: "attach", errno} else null end),
   applied: (if .mkey.tph then .mkey | {st, st_width, ph} else null end),
   size: .perftest.size, qps: 1, messages: .perftest.iters,
   bytes: (if .data_verified then .perftest.size else 0 end),
   mismatches: (if .data_verified == false then 1 else 0 end),
   wrong_hint: (.tlp.wrong_hint + .tlp.hint_elsewhere), tlps: .tlp.bar_writes,
   completer: (if .target == "qemu-nvme" then null
               else .completer.by_hint | map({hint: {ph, st, st_width}, writes: .count}) end),
   verdict: (if .as_expected then "pass" else "fail" end),
   causes: (if .as_expected then [] else ["\(.result) \(.errno // ""), expected \(.expected)"] end)};

(INDEX($results[]; .id)) as $seen
| (INDEX($flows[]; .mark) | map_values(.flows)) as $by_mark
| ([$runs[0].runs[] | perftest]
   + map(judge($seen[.id | tostring]; $by_mark["cell-\(.id)"] // []))) as $cells
| {kernel: $runs[0].kernel, qemu: $runs[0].qemu, iommu: $runs[0].iommu, quick: $quick,
   passed: ($cells | map(select(.verdict == "pass")) | length),
   failed: ($cells | map(select(.verdict == "fail")) | length),
   refused: ($cells | map(select(.refused)) | length),
   bytes: ($cells | sum(.bytes)), mismatches: ($cells | sum(.mismatches)),
   wrong_hint: ($cells | sum(.wrong_hint)), tlps: ($cells | sum(.tlps)),
   # What the completers counted of the program's cells, over all of them.
   histogram: [$cells | group_by(.target)[]
     | select(any(.program == "matrix" and .completer != null))
     | {target: .[0].target,
        hints: [map(select(.program == "matrix") | (.completer // [])[]) | group_by(.hint)[]
          | {hint: .[0].hint, writes: sum(.writes), reads: sum(.reads),
             bytes: sum(.write_bytes + .read_bytes)}]}],
   cells: $cells}

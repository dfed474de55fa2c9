# SPDX-License-Identifier: GPL-2.0-only
# The cells of ./tph matrix ($quick: of its quick form) with what has to come of each, and the runs of
# ib_write_bw beside them (lines as testbed/run/plan.sh takes them, with the HCA function's number).
# The functions' order is that of testbed/matrix/devices.
def functions:
  {hca: 1, mode: "table", width: 8}, {hca: 2, mode: "table", width: 16},
  {hca: 3, mode: "direct", width: 8}, {hca: 4, mode: "direct", width: 16};
def operations: "write", "read", "send";
def kinds: "st8", "st16", "both";
# Every hint, every PH.
def hints: {kind: "off", ph: null}, {kind: kinds, ph: (0, 1, 2, 3)};
# Payload of a cell: with the GPU any, else at most 64 MiB; where each access is trapped 8 MiB.
def fits($target): .size * .qps <= ({gpu: infinite, "qemu-nvme": 8388608}[$target] // 67108864);
def shape($size; $qps):
  {size: $size, qps: $qps, messages: (if $size * $qps <= 65536 then 4 else 1 end)};

def all_hints:
  {operation: operations, target: ("gpu", "nvme")} + functions + hints
    + shape((8, 4096, 65536); (1, 16)),
  {operation: operations, target: ("qemu-nvme", "host")} + functions
    + ({kind: "off", ph: null} + shape((8, 4096, 65536); (1, 16)), (hints | select(.ph)) + shape(4096; 1));
def all_shapes:
  [{operation: operations, target: ("gpu", "nvme", "qemu-nvme", "host")}
    + shape(pow(2; range(3; 24)) ; pow(2; range(0; 7))) | select(fits(.target))]
  | [[functions], [hints]] as [$functions, $hints]
  | to_entries[]
  | .value + $functions[(.key + (.key / 12 | floor)) % 4]
    + (if .value.target == "gpu" or .value.target == "nvme" then $hints[.key % 13] else $hints[0] end);
def quick_cells:
  [{operation: operations, target: ("gpu", "nvme")} + functions + {kind: ("off", kinds)}]
  | [shape(8; 1), shape(64; 4), shape(512; 16), shape(4096; 1), shape(65536; 64), shape(1048576; 2),
     shape(32; 64)] as $shapes
  | (to_entries[] | .value + $shapes[.key % 7]
      + {ph: (if .value.kind == "off" then null else .key % 4 end)}),
    {operation: operations, target: ("qemu-nvme", "host"), kind: "off", ph: null}
      + (functions | select(.hca <= 2)) + shape(4096; 4),
    {operation: "write", target: ("qemu-nvme", "host"), kind: kinds, ph: 2}
      + (functions | select(.hca <= 2)) + shape(4096; 1),
    {operation: operations, target: "gpu", hca: 2, mode: "table", width: 16, kind: "both", ph: 1}
      + shape(8388608; 2);

# Tags that differ from cell to cell, 0 among them, and so that no part of one passes for the other.
def tags($id):
  ($id * 41 % 256) as $st
  | ($id * 7919 % (if .mode == "direct" and $id % 2 == 0 then 256 else 65536 end)) as $ext
  | . + {requested: {st: (if .kind == "st8" or .kind == "both" then $st else null end),
                     st_ext: (if .kind == "st16" or .kind == "both"
                              then (if $ext % 256 == $st then ($ext + 1) % 256 else $ext end) else null end),
                     ph: .ph}}
  | del(.kind, .ph);
def expectation:
  (if .width == 8 then .requested.st else .requested.st_ext end) as $tag
  | {refused: null, applied: null, moved: true}
    + if .requested.ph == null then {}
      elif .target == "qemu-nvme" then {refused: {step: "attach", errno: "EOPNOTSUPP"}, moved: false}
      elif .target == "host" then {refused: {step: "register", errno: "EINVAL"}, moved: false}
      elif $tag == null then {refused: {step: "register", errno: "ENODATA"}}
      elif .mode == "direct" and $tag > 255 then {refused: {step: "register", errno: "ERANGE"}}
      else {applied: {st: $tag, st_width: .width, ph: .requested.ph}} end;

[if $quick then quick_cells else all_shapes, all_hints end]
| sort_by(.hca, .target)
| to_entries | map(.key as $id | .value | {id: $id} + tags($id) | . + {expected: expectation})

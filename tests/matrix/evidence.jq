# SPDX-License-Identifier: GPL-2.0-only
# From a plan, what guest and trace say when all is as it should be: each message is one TLP.
{results: [.[]
   | (.qps * .messages) as $tlps | ($tlps * .size) as $bytes
   | {id, refused: .expected.refused, applied: .expected.applied, moved: .expected.moved, status: "success",
      bytes: (if .expected.moved then $bytes else 0 end), mismatches: 0,
      completer: (if .target == "gpu" or .target == "nvme" then
        [{hint: .expected.applied}
         + if .operation == "read" then {writes: 0, reads: $tlps, write_bytes: 0, read_bytes: $bytes}
           else {writes: $tlps, reads: 0, write_bytes: $bytes, read_bytes: 0} end]
        else null end)}],
 flows: [.[]
   | (.qps * .messages) as $tlps | ($tlps * .size) as $bytes
   | {gpu: "gpu0", nvme: "nvme0"}[.target] as $device
   | {mark: "cell-\(.id)",
      flows: (if .expected.moved then
        [{source: "hca\(.hca)", target: $device,
          route: (if $device then "function" elif .target == "qemu-nvme" then "message" else "memory" end),
          type: (if .operation == "read" then "read" else "write" end), hint: .expected.applied, $tlps, $bytes},
         {source: "hca0", target: null, route: "memory", type: "write", hint: null, tlps: 1, bytes: 64}]
        else [] end)}]}

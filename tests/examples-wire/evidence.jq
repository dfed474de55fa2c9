# SPDX-License-Identifier: GPL-2.0-only
# Input: the lines of plan.sh. What the guest and the wire would have to say about them.
def hint($tag; $width): {ph: 2, st: $tag, st_width: $width};
def text: "tag \(.st), PH 2, \(.st_width)-bit";
[split("\n")[] | select(. != "") | split(" ")
 | {number: (.[0] | tonumber), hca: "hca\(.[2])", width: (.[3] | tonumber), tag: (.[5] | tonumber), n: (.[6] | tonumber)}
 | . as $p | [range(.n) | hint($p.tag + .; $p.width)] as $hints
 | {result: {number, server: {command: "server", status: 0, said: ([$hints[] | "client: memory key: \(text), from dma-buf"]
      + [$hints[] | "client: verified: 65536 bytes"])},
     clients: [$hints[] | {command: "client", status: 0, said: ["offered: 65536 bytes, \(text)",
       "read back 65536 bytes: equal"]}],
     completer: ([{hint: null, writes: 0, reads: 0, write_bytes: 0, read_bytes: 0}]
       + [$hints[] | {hint: ., writes: 128, reads: 128, write_bytes: 65536, read_bytes: 65536}])},
    flows: {mark: "example-\(.number)", flows: ([{source: "hca0", target: null, type: "write", hint: null, tlps: 9,
       bytes: 99}] + [$hints[] | {source: $p.hca, target: "gpu0", type: ("write", "read"), hint: ., tlps: 128, bytes: 65536}])}}]
| {results: map(.result), flows: map(.flows)}

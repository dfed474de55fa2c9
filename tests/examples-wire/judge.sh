#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: judge evidence that was made up. Argument: file for cases.
set -eu
cd /run/tph
: >cases.new
sh /src/testbed/example/plan.sh 'bar tags' >plan
jq -Rs -f /src/tests/examples-wire/evidence.jq plan >evidence.json

# judged EVIDENCE: the report on it.
judged()
{
	jq -c '.results[]' "$1" >results
	jq -c '.flows[]' "$1" >flows
	jq -n --arg kernel - --arg qemu - --arg iommu pt --rawfile plan plan --slurpfile results results \
		--slurpfile flows flows -f /src/testbed/example/judge.jq
}

# verdict NAME CONDITION
verdict()
{
	word=pass
	jq -e "$2" report.json >/dev/null || {
		word=fail
		jq -c '.runs[] | [.number, .causes]' report.json
	}
	echo "$word $1" >>cases.new
}

# broken CHANGE CAUSE: with CHANGE to the evidence of the fourth example, that one alone fails, with CAUSE.
broken()
{
	jq "def result: .results[3]; def flows: .flows[3].flows; $1" evidence.json >changed.json
	judged changed.json >report.json
	verdict "$1" ".passed == 3 and .failed == 1 and .runs[3].causes == [$2]"
}
judged evidence.json >report.json
verdict 'as it should be' '.passed == 4 and .failed == 0 and all(.runs[]; .agree and .causes == [])'
broken '(result | .server.status) = 1' '"the server ended with status 1"'
broken '(result | .clients[5].status) = 130' '"a client ended with status 130"'
broken 'del(.results[3])' '"no result"'
broken '(result | .server.said[2]) |= sub("tag 4098"; "tag 4099")' '"memory keys have other hints"'
broken '(result | .server.said[2]) |= sub("16-bit"; "8-bit")' '"memory keys have other hints"'
broken '(result | .clients[2].said[0]) |= sub("PH 2"; "PH 1")' '"clients were offered other hints"'
broken '(result | .clients[2].said[0]) = "offered: 65536 bytes, no hint"' '"clients were offered other hints"'
broken '(result | .server.said) |= .[:-1]' '"not all was verified"'
broken '(result | .clients[7].said) |= .[:-1]' '"not all was read back"'
# On the wire and at the completer alike, as a fault of the requester is.
broken '((result | .completer[1].hint.st), (flows | .[1].hint.st, .[2].hint.st)) = 5000' '"other hints at the completer"'
broken '((result | .completer[1].hint), (flows | .[1].hint, .[2].hint)) = null' '"other hints at the completer"'
broken '((result | .completer[1].write_bytes), (flows | .[1].bytes)) = 65528' '"other bytes at the completer"'
broken '((result | .completer[1].read_bytes), (flows | .[2].bytes)) = 65528' '"other bytes at the completer"'
other='"the completer counted others than were on the wire"'
broken '(flows | .[1].tlps) = 127' "$other"
broken '(flows | .[1].bytes) = 65528' "$other"
broken '(flows | .[3].hint.st) = 4096' "$other"
broken '(flows | .[3].hint.ph) = 0' "$other"
broken '(flows | .[0].hint) = {ph: 2, st: 4096, st_width: 16}' '"9 TLPs elsewhere have a hint"'
broken '(flows) += [{source: "hca0", target: "gpu0", type: "write", hint: {ph: 2, st: 4096, st_width: 16}, tlps: 1, bytes: 8}]' \
	'"1 TLPs elsewhere have a hint"'
mv cases.new "$1"

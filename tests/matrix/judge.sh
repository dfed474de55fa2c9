#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: judge evidence that was made up. Argument: file for cases.
set -eu
cd /run/tph
: >"$1"
matrix=/src/testbed/matrix
jq -n --argjson quick true -f $matrix/plan.jq >plan.json
jq -f /src/tests/matrix/evidence.jq plan.json >evidence.json
echo '{"runs": [], "kernel": "-", "qemu": "-", "iommu": "pt"}' >runs.json

# judged EVIDENCE: the report on it.
judged()
{
	jq -c '.results[]' "$1" >results
	jq -c '.flows[]' "$1" >flows
	jq --argjson quick true --slurpfile results results --slurpfile flows flows --slurpfile runs runs.json \
		-f $matrix/judge.jq plan.json
}

# verdict NAME CONDITION REPORT
verdict()
{
	word=pass
	jq -e "$2" "$3" >/dev/null || {
		word=fail
		jq -c '{passed, failed, bytes, mismatches, wrong_hint}, (.cells[] | select(.causes != []))' "$3"
	}
	echo "$word $1" >>cases.new
}

# broken CELL CHANGE CAUSE [CONDITION]: with CHANGE to the evidence of the first cell of the plan that CELL
# selects, that cell alone fails, with CAUSE and no other.
broken()
{
	id=$(jq "[.[] | select($1)][0].id" plan.json)
	jq --argjson id "$id" "def result: .results[] | select(.id == \$id);
		def flows: .flows[] | select(.mark == \"cell-\\(\$id)\") | .flows; $2" evidence.json >changed.json
	judged changed.json >report.json
	verdict "$1: $2" "([.cells[] | select(.verdict == \"fail\").causes] == [$3]) and .failed == 1 and (${4:-true})" report.json
}

: >cases.new
judged evidence.json >report.json
verdict 'as it should be' '.failed == 0 and .passed == (.cells | length) and .mismatches == 0 and .wrong_hint == 0
	and .bytes > 1e8' report.json

hinted='.expected.applied and .operation == "write"'
broken "$hinted" '(result | .mismatches) = 1' '["1 bytes differ"]' '.mismatches == 1'
broken "$hinted" '(result | .bytes) = 0' '["0 bytes verified, not \(.cells[] | select(.verdict == "fail")
	| .size * .qps * .messages)"]'
broken "$hinted" '(result | .applied.st) |= . + 1' '["memory key has another hint"]'
broken "$hinted" '(result | .status) = "remote access error"' '["completion: remote access error"]'
broken "$hinted" '(result | .refused) = {step: "register", errno: "ENOSPC"}' '["refused ENOSPC, expected nothing"]'
# shellcheck disable=SC2016 # jq's variable
broken "$hinted" '.results |= map(select(.id != $id))' '["no result"]'
# On the wire and at the completer alike, as a fault of the requester is.
broken "$hinted" '((result | .completer[0].hint.st), (flows | .[0].hint.st)) |= . + 1' \
	'["4 TLPs with another hint on the wire", "4 TLPs with another hint at the completer"]' '.wrong_hint == 4'
broken "$hinted" '((result | .completer[0].hint), (flows | .[0].hint)) |= null' \
	'["4 TLPs with another hint on the wire", "4 TLPs with another hint at the completer"]' '.wrong_hint == 4'
# The same tag in the other name space.
broken "$hinted" '((result | .completer[0].hint.st_width), (flows | .[0].hint.st_width)) |= 24 - .' \
	'["4 TLPs with another hint on the wire", "4 TLPs with another hint at the completer"]' '.wrong_hint == 4'
broken "$hinted" '(flows | .[1].hint) = {ph: 0, st: 0, st_width: 8}' '["1 TLPs with another hint on the wire"]' \
	'.wrong_hint == 1'
broken "$hinted" '(result | .completer[0].hint.ph) |= 3 - .' \
	'["4 TLPs with another hint at the completer", "the completer counted others than were on the wire"]'
broken "$hinted" '(result | .completer[0].write_bytes) |= . - 8' '[.cells[] | select(.verdict == "fail")
	| "\(.bytes - 8) bytes at the completer, not \(.bytes)"]'
broken "$hinted" '(flows | .[0].tlps) |= . + 1' '["the completer counted others than were on the wire"]'
broken "$hinted" '(flows | .[0].bytes) |= . + 8' '[.cells[] | select(.verdict == "fail")
	| "\(.bytes + 8) bytes on the wire, not \(.bytes)"]'
plain='.requested.ph == null and .target == "gpu" and .operation == "read"'
broken "$plain" '((result | .completer[0].hint), (flows | .[0].hint)) = {ph: 0, st: 0, st_width: 8}' \
	'["64 TLPs with another hint on the wire", "64 TLPs with another hint at the completer"]'
for errno in EOPNOTSUPP EINVAL ENODATA ERANGE; do
	broken ".expected.refused.errno == \"$errno\"" '(result | .refused.errno) = "EIO"' "[\"refused EIO, expected $errno\"]"
	broken ".expected.refused.errno == \"$errno\"" '(result | .refused) = null' "[\"refused nothing, expected $errno\"]"
done
broken '.expected.refused.errno == "EOPNOTSUPP"' '(result | .moved) = true' '["memory region"]'
broken '.target == "qemu-nvme" and .requested.ph == null' '(flows | .[0].hint) = {ph: 1, st: 1, st_width: 8}' \
	'["16 TLPs with another hint on the wire"]'
broken '.target == "host" and .requested.ph == null' '(flows | .[0].hint) = {ph: 1, st: 1, st_width: 8}' \
	'["16 TLPs with another hint on the wire"]'
mv cases.new "$1"

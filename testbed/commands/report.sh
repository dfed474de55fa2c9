#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph report: bandwidth, latency, tags and the chain of one write, measured in one guest, as one page.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
TPH_NAME='tph report'

out=report.html json='' from='' plan=full repeats='' status=0

while [ $# -gt 0 ]; do
	option=$1
	case $option in
	--quick | --dry-run) ;;
	--out=* | --json=* | --from=* | --repeats=*) option=${1%%=*} value=${1#*=} ;;
	--out | --json | --from | --repeats)
		[ $# -ge 2 ] || usage_error "$option needs a value"
		value=$2
		shift
		;;
	*) usage_error "unknown option $option" ;;
	esac
	case $option in
	--quick) plan=quick ;;
	--dry-run) GUEST_DRY_RUN=1 ;;
	--out) output_file --out "$value" && out=$value ;;
	--json) output_file --json "$value" && json=$value ;;
	--from)
		[ -f "$value" ] || die "--from $value: no such file"
		from=$value
		;;
	--repeats)
		case $value in
		'' | *[!0-9]* | 0* | ???*) usage_error "--repeats takes a number from 1 to 99, not '$value'" ;;
		esac
		repeats=$value
		;;
	esac
	shift
done
output_file --out "$out"
[ -z "$from" ] || [ "$plan,$repeats,$json,${GUEST_DRY_RUN:-}" = full,,, ] ||
	usage_error "--from measures nothing, so it goes with --out only"
if [ -z "$repeats" ]; then
	repeats=5
	[ "$plan" = full ] || repeats=1
fi

if [ -n "$from" ]; then
	cache_lock
	sandbox_prepare
	cache_unlock
	run_dir
	cp "$from" "$TPH_RUN_DIR/report.json"
else
	guest_build
	guest_prepare "$TPH_TOP/testbed/report/devices"
	cp "$TPH_TOP/testbed/report/plan-$plan" "$TPH_RUN_DIR/job/plan"
	echo "exec sh /mnt/src/testbed/report/guest.sh $repeats" >"$TPH_RUN_DIR/job/command"
	[ -n "${GUEST_DRY_RUN:-}" ] || say "booting; each size is measured $repeats times"
	guest_run
	[ -z "${GUEST_DRY_RUN:-}" ] || exit 0
	[ "$GUEST_STATUS" -eq 0 ] || status=1
	in_sandbox sh /src/testbed/report/collect.sh "$repeats" || status=1
	guest_dmesg_check || status=1
	[ -s "$TPH_RUN_DIR/report.json" ] || die "the guest left too little for a report; its messages are above"
	[ -z "$json" ] || cp "$TPH_RUN_DIR/report.json" "$json"
fi
in_sandbox python3 -B /src/testbed/report/page.py <"$TPH_RUN_DIR/report.json" >"$TPH_RUN_DIR/report.html" || exit 1
cp "$TPH_RUN_DIR/report.html" "$out"
[ -n "$from" ] || in_sandbox jq -r -f /src/testbed/report/table.jq /run/tph/report.json
say "the page: $out"
exit "$status"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph run: the main job. Benchmarks RDMA writes from host memory into exported BARs, without and
# with steering hints, and proves on the emulated wire what arrived.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/lib/load.sh"
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/run/plan.sh"
TPH_NAME='tph run'

target=all st=- st_ext=- ph=2 size=65536 iters=1000 mode=table width='' bar=- offset=0
json='' mode_given='' status=0

# number OPTION VALUE MIN MAX: checks it and sets NUMBER, decimal.
number()
{
	case $2 in
	0x[0-9a-fA-F]* | [0-9]*) ;;
	*) usage_error "$1 takes a number, not '$2'" ;;
	esac
	case ${2#0x} in
	*[!0-9a-fA-F]*) usage_error "$1 takes a number, not '$2'" ;;
	esac
	case $2 in
	0x*) NUMBER=$(($2)) ;;
	*[!0-9]*) usage_error "$1 takes a number, not '$2'" ;;
	*) NUMBER=$(echo "$2" | sed 's/^0*\(.\)/\1/') ;;
	esac
	if [ ${#NUMBER} -gt 12 ] || [ "$NUMBER" -lt "$3" ] || [ "$NUMBER" -gt "$4" ]; then
		usage_error "$1 $2 is not in the range $3..$4"
	fi
}

while [ $# -gt 0 ]; do
	option=$1
	case $option in
	--dry-run)
		GUEST_DRY_RUN=1
		shift
		continue
		;;
	--installed)
		TPH_INSTALLED=1
		shift
		continue
		;;
	--*=*)
		value=${option#*=}
		option=${option%%=*}
		shift
		;;
	--*)
		[ $# -ge 2 ] || usage_error "$option needs a value"
		value=$2
		shift 2
		;;
	*) usage_error "unexpected argument $option" ;;
	esac
	case $option in
	--target)
		case $value in
		gpu | nvme | qemu-nvme | gpu-no-tph | all) target=$value ;;
		*) usage_error "--target $value: no such target; there are gpu, nvme, gpu-no-tph, qemu-nvme and all" ;;
		esac
		;;
	--st) number --st "$value" 0 255 && st=$NUMBER ;;
	--st-ext) number --st-ext "$value" 0 65535 && st_ext=$NUMBER ;;
	--ph) number --ph "$value" 0 3 && ph=$NUMBER ;;
	--size) number --size "$value" 1 1073741824 && size=$NUMBER ;;
	--iters) number --iters "$value" 5 100000000 && iters=$NUMBER ;;
	--bar) number --bar "$value" 0 5 && bar=$NUMBER ;;
	--offset) number --offset "$value" 0 1099511627776 && offset=$NUMBER ;;
	--st-mode)
		case $value in
		table | direct) mode=$value mode_given=1 ;;
		*) usage_error "--st-mode takes table or direct, not '$value'" ;;
		esac
		;;
	--st-width)
		case $value in
		8 | 16) width=$value ;;
		*) usage_error "--st-width takes 8 or 16, not '$value'" ;;
		esac
		;;
	--iommu)
		case $value in
		pt | translated | off) GUEST_IOMMU=$value ;;
		*) usage_error "--iommu takes pt, translated or off, not '$value'" ;;
		esac
		;;
	--json) output_file --json "$value" && json=$value ;;
	*) usage_error "unknown option $option" ;;
	esac
done

# add TARGET MODE WIDTH ST ST_EXT: a run with the options given.
add()
{
	runs=$iters
	# QEMU's CMB takes 8 bytes per access, so fewer rounds say the same.
	[ "$1" != qemu-nvme ] || [ "$runs" -le 50 ] || runs=50
	plan_row "$1" "$2" "$3" "$4" "$5" "$ph" "$size" "$runs" "$bar" "$offset" \
		"$(plan_expect "$@")"
}

plan()
{
	targets=$target
	[ "$target" != all ] || targets='gpu nvme gpu-no-tph qemu-nvme'
	for one in $targets; do
		add "$one" "$mode" "${width:-8}" - -
		if [ "$st" != - ] || [ "$st_ext" != - ]; then
			default=8
			[ "$st" != - ] || default=16
			add "$one" "$mode" "${width:-$default}" "$st" "$st_ext"
			continue
		fi
		add "$one" "$mode" "${width:-8}" 42 -
		case $one in
		gpu | nvme) add "$one" "$mode" "${width:-16}" - 48879 ;;
		esac
		[ "$one" != gpu ] || [ -n "$mode_given" ] || add gpu direct "${width:-8}" 42 -
	done
}

build_testbed
plan_begin
plan
run_plan || status=1
[ -z "${GUEST_DRY_RUN:-}" ] || exit 0
[ -z "$json" ] || cp "$TPH_RUN_DIR/report.json" "$json"
in_sandbox jq -r -f /src/testbed/run/table.jq /run/tph/report.json
exit "${status:-0}"

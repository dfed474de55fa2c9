# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced: the plan of a boot, one line per run, and the devices it needs.
#
#     plan_row TARGET MODE WIDTH ST ST_EXT PH SIZE ITERS BAR OFFSET EXPECT
#
# MODE and WIDTH are those of the HCA function on the BAR's side; '-' for ST and ST_EXT: not given.
# EXPECT: hint (every write carries it), plain (none does) or refused (setting it fails).

plan_begin()
{
	plan_dir=$(mktemp -d)
	on_exit "rm -rf '$plan_dir'"
	PLAN_FILE=$plan_dir/plan
	PLAN_DEVICES=$plan_dir/devices
	: >"$PLAN_FILE"
	PLAN_RUNS=0
	# The client's side; functions on the BAR's side are added as they are asked for.
	echo 'hca hca0 04 lid=1 st-mode=table st-width=8' >"$PLAN_DEVICES"
	PLAN_HCAS=1
}

# plan_hca MODE WIDTH: number of the HCA function like that; sets PLAN_HCA.
plan_hca()
{
	PLAN_HCA=$(awk -v mode="st-mode=$1" -v width="st-width=$2" \
		'$1 == "hca" && $2 != "hca0" && $5 == mode && $6 == width { print substr($2, 4) }' \
		"$PLAN_DEVICES")
	[ -z "$PLAN_HCA" ] || return 0
	PLAN_HCA=$PLAN_HCAS
	PLAN_HCAS=$((PLAN_HCAS + 1))
	printf 'hca hca%d %02x lid=%d st-mode=%s st-width=%d\n' "$PLAN_HCA" $((4 + PLAN_HCA)) \
		$((PLAN_HCA + 1)) "$1" "$2" >>"$PLAN_DEVICES"
}

# plan_target TARGET: sets PLAN_DEVICE PLAN_BDF PLAN_BAR; returns 1 for an unknown one.
plan_target()
{
	case $1 in
	gpu) set -- gpu gpu0 10 0 'size=64M completer=extended' ;;
	nvme) set -- nvme nvme0 11 2 'size=64M completer=extended' ;;
	gpu-no-tph) set -- gpu gpu1 12 0 'size=64M completer=none' ;;
	qemu-nvme) set -- qemu-nvme qnvme0 13 2 'cmb_size_mb=64' ;;
	*) return 1 ;;
	esac
	PLAN_DEVICE=$2
	PLAN_BDF=0000:00:$3.0
	PLAN_BAR=$4
	grep -q "^$1 $2 " "$PLAN_DEVICES" || echo "$1 $2 $3 $5" >>"$PLAN_DEVICES"
}

plan_row()
{
	plan_target "$1"
	plan_hca "$2" "$3"
	PLAN_RUNS=$((PLAN_RUNS + 1))
	[ "$9" = - ] || PLAN_BAR=$9
	echo "$PLAN_RUNS $1 $PLAN_DEVICE $PLAN_BDF $PLAN_BAR $2 $3 $PLAN_HCA $4 $5 $6 $7 $8" \
		"${10} ${11}" >>"$PLAN_FILE"
}

# plan_expect TARGET MODE WIDTH ST ST_EXT: what must come of it.
plan_expect()
{
	if [ "$4" = - ] && [ "$5" = - ]; then
		echo plain
		return
	fi
	case $1 in
	gpu-no-tph | qemu-nvme)
		echo refused
		return
		;;
	esac
	tag=$4
	[ "$3" = 8 ] || tag=$5
	if [ "$tag" = - ]; then
		echo plain # only the other width's tag is there: never converted
	elif [ "$2" = direct ] && [ "$tag" -gt 255 ]; then
		echo plain # the memory key's field has 8 bits: never truncated
	else
		echo hint
	fi
}

# run_plan: boot the guest for the plan. $TPH_RUN_DIR/report.json has the results afterwards.
# Returns 1 when a run is not as expected or the guest's kernel complained.
run_plan()
{
	guest_prepare "$PLAN_DEVICES"
	cp "$PLAN_FILE" "$TPH_RUN_DIR/job/plan"
	echo "${GUEST_IOMMU:-pt}" >"$TPH_RUN_DIR/job/iommu"
	cat >"$TPH_RUN_DIR/job/command" <<'EOF'
status=0
sh /mnt/src/testbed/run/guest.sh || status=1
sh /mnt/src/testbed/run/host-memory.sh || status=1
exit $status
EOF
	[ -n "$OPT_DRY_RUN" ] ||
		say "booting with $PLAN_HCAS HCA functions for $PLAN_RUNS runs (IOMMU ${GUEST_IOMMU:-pt})"
	guest_run
	[ -z "$OPT_DRY_RUN" ] || return 0
	run_status=$GUEST_STATUS
	in_sandbox sh /src/testbed/run/report.sh "${GUEST_IOMMU:-pt}" || run_status=1
	guest_dmesg_check || run_status=1
	[ "$run_status" -eq 0 ]
}

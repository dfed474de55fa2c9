# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph exec [OPTION...] [--] CMD ARG...: run a command in a freshly booted guest.
guest_options
guest_build
guest_prepare "${OPT_DEVICES:-$TPH_TOP/testbed/devices}"
{
	printf 'exec'
	for word; do
		printf ' %s' "$(shell_word "$word")"
	done
	echo
} >"$TPH_RUN_DIR/job/command"
guest_run
[ -z "$OPT_DRY_RUN" ] || exit 0
complaints=0
guest_dmesg_check 2>"$TPH_RUN_DIR/complaints" || complaints=1
cat "$TPH_RUN_DIR/complaints" >&2
! json_wanted || cat <<EOF | json_made
{"command": [$(for word; do printf '%s' "$word" | tr '\n' ' '; echo; done | json_strings)], "status": $GUEST_STATUS,
"kernel": $(json_string "$(cat "$KERNEL/release")"), "variant": "$(guest_variant)", "iommu": "$GUEST_IOMMU",
"topology": "$GUEST_TOPOLOGY",
"complaints": [$([ "$complaints" -eq 0 ] || json_strings <"$TPH_RUN_DIR/complaints")]}
EOF
[ "$complaints" -eq 0 ] || [ "$GUEST_STATUS" -ne 0 ] || GUEST_STATUS=125
exit "$GUEST_STATUS"

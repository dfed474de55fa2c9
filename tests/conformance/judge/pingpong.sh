# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # variables of run.sh
# The ping-pong programs of ibverbs-utils, with the check of what arrived where they have one.
common="-d $device ${gid:+-g $gid} -n 100"

# rc_odp: on-demand paging of RC, both sides of a send.
rc_odp()
{
	ibv_devinfo -v -d "$device" | awk '
		/_odp_caps:/ { rc = /rc_odp_caps:/ }
		rc && /SUPPORT_SEND/ { send = 1 }
		rc && /SUPPORT_RECV/ { receive = 1 }
		END { exit !(send && receive) }'
}

for options in '-c' '-c -e' '-c -s 65536' '-c -t' '-c -o' '-c -N'; do
	case $options in
	*-o) rc_odp || {
		verdict skip "ibv_rc_pingpong $options" 'no on-demand paging'
		continue
	} ;;
	*-t) ibv_devinfo -v -d "$device" | grep -q 'hca_core_clock: *[1-9]' || {
		verdict skip "ibv_rc_pingpong $options" 'no timestamps'
		continue
	} ;;
	esac
	both "ibv_rc_pingpong $options" 18515 "ibv_rc_pingpong $common $options" \
		"ibv_rc_pingpong $common $options 127.0.0.1"
done
for program in ibv_uc_pingpong 'ibv_ud_pingpong -s 1024' ibv_srq_pingpong; do
	for options in '-c' '-c -e'; do
		both "$program $options" 18515 "$program $common $options" "$program $common $options 127.0.0.1"
	done
done
if ibv_devinfo -v -d "$device" | grep -q XRC; then
	both 'ibv_xsrq_pingpong' 18515 "ibv_xsrq_pingpong $common" "ibv_xsrq_pingpong $common 127.0.0.1"
else
	verdict skip ibv_xsrq_pingpong 'no XRC'
fi

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # variables of run.sh
# qperf's verbs tests; it exchanges addresses over TCP.
tests='rc_bw rc_lat uc_bw ud_bw rc_rdma_write_bw rc_rdma_read_bw'
[ -z "$whole" ] || tests="rc_bi_bw rc_bw rc_lat uc_bi_bw uc_bw uc_lat ud_bi_bw ud_bw ud_lat
	rc_rdma_read_bw rc_rdma_read_lat rc_rdma_write_bw rc_rdma_write_lat rc_rdma_write_poll_lat
	uc_rdma_write_bw uc_rdma_write_lat uc_rdma_write_poll_lat
	rc_compare_swap_mr rc_fetch_add_mr ver_rc_compare_swap ver_rc_fetch_add"
both_serves_on=1
for test in $tests; do
	case $link_layer:$test in
	Ethernet:rc_* | Ethernet:ver_rc_*)
		# It addresses by LID, which RoCE has not, unless rdma_cm connects.
		both "$test" 19765 qperf "qperf $address -t 1 -i $device:1 -m 4096 -cm 1 $test"
		;;
	Ethernet:*) verdict skip "$test" 'qperf has no GIDs, and rdma_cm for RC only' ;;
	*) both "$test" 19765 qperf "qperf 127.0.0.1 -t 1 -i $device:1 -m 4096 $test" ;;
	esac
done
for test in xrc_bw xrc_bi_bw xrc_lat; do
	verdict skip "$test" "Debian's qperf is built without XRC"
done

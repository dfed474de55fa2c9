# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # variables of run.sh
# fi_pingpong over libfabric's verbs provider. Its endpoints of type msg and rdm connect by rdma_cm.

# one CASE OPTIONS ADDRESS
one()
{
	both "$1" 47592 "fi_pingpong $2" "fi_pingpong $2 $3"
}

iterations='-I 20'
for size in 64 4096; do
	one "dgram $size" "-d $device-dgram -p verbs -e dgram $iterations -S $size -v" 127.0.0.1
done
for size in 64 65536; do
	for kind in 'msg -p verbs' 'rdm -p verbs;ofi_rxm'; do
		one "${kind%% *} $size" "-d $device -e $kind $iterations -S $size -v" "$address"
	done
done

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What a topology is: testbed/topologies/README.md.

# topology_member NAME KEY: the text behind KEY of the topology; nothing when it has none.
topology_member()
{
	sed -n "s/^$2 //p" "$TPH_TOP/testbed/topologies/$1"
}

# topology_devices NAME: a devices file, from standard input, with the ports of HCA functions as the topology has them.
# What a line says of its link by itself holds.
topology_devices()
{
	case $(topology_member "$1" port) in
	ethernet)
		awk '$1 == "hca" && !/ link=/ {
			gsub(/ lid=[^ ]*/, "")
			$0 = $0 " link=ethernet"
		}
		{ print }'
		;;
	*) cat ;;
	esac
}

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What a topology is: testbed/topologies/README.md.

# topology_member NAME KEY [MACHINE]: the text behind KEY of the topology, or of a machine of it; nothing when it has none.
topology_member()
{
	awk -v key="$2" -v wanted="${3:-}" '
		$1 == "machine" { machine = $2 }
		$1 == key && (key == "wire" ? "" : machine) == wanted { print substr($0, length(key) + 2) }' "$TPH_TOP/testbed/topologies/$1"
}

# topology_others NAME: the machines besides the first one, a line each.
topology_others()
{
	sed -n 's/^machine //p' "$TPH_TOP/testbed/topologies/$1" | tail -n +2
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

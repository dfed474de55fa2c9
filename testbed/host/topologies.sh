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

# topology_devices NAME: a devices file, from standard input, with the ports of HCA functions as the topology has them, and machine=NAME in
# the lines of devices that are not in the first machine. What a line says of its link by itself holds.
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
	esac | awk -v members="$(topology_members "$1" | tr '\n' ' ')" '
		BEGIN {
			n = split(members, word)
			for (i = 1; i < n; i += 2)
				machine[word[i]] = word[i + 1]
		}
		!/^#/ && $2 in machine && !/ machine=/ { $0 = $0 " machine=" machine[$2] }
		{ print }'
}

# topology_members NAME: a line "DEVICE MACHINE" for each device that is not in the first machine.
topology_members()
{
	for member_machine in $(topology_others "$1"); do
		for member_device in $(topology_member "$1" devices "$member_machine"); do
			[ "$member_device" = none ] || echo "$member_device $member_machine"
		done
	done
}

# topology_check NAME FILE: dies when a devices file lacks a device that is in another machine than the first one.
topology_check()
{
	for check_device in $(topology_members "$1" | cut -d ' ' -f 1); do
		awk -v name="$check_device" '!/^#/ && $2 == name { found = 1 } END { exit !found }' "$2" ||
			die "--topology $1: the devices have no $check_device, which one of its machines has"
	done
}

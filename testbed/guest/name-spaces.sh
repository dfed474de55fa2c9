#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest of a topology with Ethernet ports, or with several machines, before its job: the interface of each HCA function comes to a name space
# with the function's name. Arguments: the port, infiniband or ethernet; the MTU, if it is not to be the usual one. They reach the first one afterwards,
# and other machines, and /run/name-spaces says what there is (ethernet.sh).
set -eu
# shellcheck source=testbed/guest/control.sh
. /mnt/src/testbed/guest/control.sh
# shellcheck source=testbed/guest/pair.sh
. /mnt/src/testbed/guest/pair.sh
# shellcheck source=testbed/guest/ethernet.sh
. /mnt/src/testbed/guest/ethernet.sh
# As the driver numbers its devices.
functions_here "map(select(.kind == \"hca\" and (.link // \"infiniband\") == \"$1\")) | sort_by(.bdf)[].name" >/run/functions
# Two guests whose switches are joined (--uplink) have different numbers.
first=$(($(cat /mnt/job/numbers 2>/dev/null || echo 0) + 1))
number=$((first - 1))
while read -r name; do
	number=$((number + 1))
	place "$name" "$name" $number "${2:-}"
	device_of "$name" $number
	[ $number -eq $first ] || comes_up 60 $$ ip netns exec "$name" busybox ping -c 1 -W 1 10.8.0.$first || {
		echo "$name: does not reach 10.8.0.$first" >&2
		exit 1
	}
	echo "$name $device 10.8.0.$number $gid"
done </run/functions >/run/name-spaces.new

# answers MACHINE: it is ready, or has ended.
answers()
{
	[ -e "/run/machines/$1/ready" ] || [ -e "/run/machines/$1/status" ] || [ -e "/run/machines/$1/ended" ]
}

[ ! -e /mnt/job/machines ] || while read -r name number; do
	comes_up 300 $$ answers "$name" || :
	[ -e "/run/machines/$name/ready" ] || {
		echo "the machine $name did not start" >&2
		exit 1
	}
	while read -r function; do
		comes_up 60 $$ ip netns exec "$function" busybox ping -c 1 -W 1 "10.8.0.$number" || {
			echo "$function: does not reach the machine $name, 10.8.0.$number" >&2
			exit 1
		}
	done </run/functions
	echo "$name $(cat "/run/machines/$name/place")"
done </mnt/job/machines >>/run/name-spaces.new
mv /run/name-spaces.new /run/name-spaces

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# All of testbed/host, for the commands.
for tph_lib in common options json results cache mirror debian sandbox rooms sources installed build package-root package topologies machines guest fuzz; do
	# shellcheck source=/dev/null
	. "$TPH_TOP/testbed/host/$tph_lib.sh"
done

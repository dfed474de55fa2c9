# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced on the host and in the sandbox.

# rooms TREE: the rooms that the emulator is made of, by the CMakeLists.txt of a tree. Fails when it does not say so, since a key
# made without them would find what was built of others.
rooms()
{
	sed -n 's/^set(TPH_ROOMS \(.*\))$/\1/p' "$1/CMakeLists.txt" | grep . || {
		echo "$1/CMakeLists.txt: no line set(TPH_ROOMS ...)" >&2
		return 1
	}
}

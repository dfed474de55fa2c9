#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root, in a source package's tree of format 3.0 (quilt): make patches its series. What they do to
# debian/ is done at once, since that directory is not under quilt. Arguments: patches.
set -eu
mkdir -p debian/patches
touch debian/patches/series
for patch; do
	name=$(basename "$patch")
	awk '
		/^diff --git / { mine = $3 !~ /^a\/debian\//; begun = 1 }
		/^-- $/ { mine = 1 }
		!begun || mine' "$patch" >"debian/patches/$name"
	awk '
		/^diff --git / { mine = $3 ~ /^a\/debian\// }
		/^-- $/ { mine = 0 }
		mine' "$patch" >../debian.diff
	[ ! -s ../debian.diff ] || patch -p1 -F0 --no-backup-if-mismatch <../debian.diff
	if grep -q '^diff --git ' "debian/patches/$name"; then
		echo "$name" >>debian/patches/series
	else
		rm "debian/patches/$name"
	fi
done
rm -f ../debian.diff

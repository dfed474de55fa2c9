#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The perftest series carries the library; its text there must be the text here.
set -u
top=$1
failed=0
for file in "$top"/vfiobar/vfiobar*.[ch]; do
	name=${file##*/}
	patch=$(grep -l "^+++ b/src/$name\$" "$top"/perftest/[0-9]*.patch)
	case $patch in
	'' | *.patch*.patch)
		echo "$name: not added by exactly one patch of perftest/: '$patch'"
		failed=1
		continue
		;;
	esac
	awk -v "name=+++ b/src/$name" '
		/^diff --git / || /^-- $/ { on = 0 }
		on && /^\+/ { print substr($0, 2) }
		$0 == name { on = 1 }' "$patch" | diff - "$file" || failed=1
done
exit $failed

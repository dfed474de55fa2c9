#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: build the kernel of /run/build/src in /run/build/o with counters in the objects
# that are named as arguments; /run/build/kernel is what a boot needs of it.
set -eu
export KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_USER=tph KBUILD_BUILD_HOST=tph
sh -eu /src/testbed/sandbox/series/configure.sh o </src/kernel/configs/coverage.config
cd /run/build/src
# Counters are put in after gcc's early passes, which have merged what a line like 'return -EINVAL;'
# does into its callers by then. Without them each line has a place of its own, as without
# optimisation, which the kernel cannot do without.
for object; do
	# A Makefile may serve several directories; it names their objects with a path.
	dir=$(dirname "$object")
	while [ ! -f "$dir/Makefile" ]; do
		dir=$(dirname "$dir")
	done
	name=${object#"$dir"/}
	# A new file, because the one there is shared with the unpatched tree.
	cat "$dir/Makefile" - >"$dir/Makefile.new" <<EOF
GCOV_PROFILE_$name := y
CFLAGS_$name += -fno-early-inlining -fdisable-tree-early_optimizations
EOF
	mv "$dir/Makefile.new" "$dir/Makefile"
done
status=0
make -s -j"$(nproc)" O=/run/build/o CC="sh /src/testbed/sandbox/build/kernel-cc.sh" bzImage 2>/run/build/make.log || status=$?
grep -v 'note: disable pass tree-early_optimizations' /run/build/make.log || :
[ $status -eq 0 ] || exit $status
rm -rf /run/build/kernel
mkdir /run/build/kernel
exec sh -eu /src/testbed/sandbox/build/kernel-install.sh /run/build/src /run/build/o /run/build/kernel coverage

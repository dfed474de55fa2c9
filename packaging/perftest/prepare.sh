#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root, in an empty directory: upstream's source, Debian's debian/ and our patches become source/.
# Arguments: upstream's tarball, Debian's, patches.
set -eu
cp "$1" .
mkdir source
tar -xf "$1" -C source --strip-components=1
tar -xf "$2" -C source
shift 2
cd source
sh -eu /src/packaging/quilt.sh "$@"
# With another libibverbs its configure would leave out what the patches add, without a word.
sed -i 's/libibverbs-dev (>= [^)]*)/libibverbs-dev (>= 65.0-1.1+tph1~)/' debian/control
grep -q 'tph1~' debian/control
cat /src/packaging/perftest/changelog debian/changelog >../changelog
mv ../changelog debian/changelog

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root, in an empty directory: the patched kernel becomes source/. Arguments: Debian's package of its
# source, patches.
set -eu
mkdir source
dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
	tar -xJ -C source --strip-components=1
shift
for patch; do
	patch -d source -p1 -F0 --no-backup-if-mismatch <"$patch"
done

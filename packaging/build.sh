#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In a root made for it: build the Debian packages of one part. Arguments: part, Debian release, and what
# packaging/PART/prepare.sh takes. The packages are in /run/build afterwards, a place that never changes, so that
# the compiler cache finds what it had before.
set -eu
part=$1
release=$2
shift 2
rooms=/src/packaging
export PATH="/usr/lib/ccache:$PATH" CC=gcc CXX=g++
cd /run/build
sh -eu "$rooms/$part/prepare.sh" "$@"
cd source
if [ -f "$rooms/$part/binaries.sh" ]; then
	sh -eu "$rooms/$part/binaries.sh"
else
	sh -eu "$rooms/backport.sh" "$release"
	dpkg-buildpackage -us -uc -sa </dev/null
fi
cd ..
rm -rf source
# Manual pages are what it spends most of its time on, and has no more than warnings about.
status=0
suppressed=
[ ! -f "$rooms/$part/lintian" ] || suppressed=$(sed -e 's/[[:space:]]*#.*//' -e '/^$/d' "$rooms/$part/lintian" | paste -sd ,)
lintian --allow-root --fail-on error --tag-display-limit 0 --profile debian -X documentation/manual \
	${suppressed:+--suppress-tags "$suppressed"} ./*.changes >lintian.txt || status=$?
cat lintian.txt
[ "$status" -eq 0 ]
apt-ftparchive packages . >Packages

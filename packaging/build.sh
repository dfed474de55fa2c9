#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In a root made for it: build the Debian packages of one part. Arguments: part, output directory, and
# what packaging/PART/prepare.sh takes.
set -eu
part=$1
out=$2
shift 2
work=$(mktemp -d)
cd "$work"
sh -eu "/src/packaging/$part/prepare.sh" "$@"
cd source
# Tests and the programs they start inherit nothing of the terminal.
dpkg-buildpackage -us -uc </dev/null
cd ..
rm -rf source
lintian --allow-root --fail-on error --tag-display-limit 0 --profile debian ./*.changes | tee lintian
apt-ftparchive packages . >Packages
mv ./* "$out/"

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In a copy of a root with the packages of `compilers`: the tests of the source package, in /source, on what apt installs
# from our archive. Leaves a line pass|fail NAME in /cases for each of them.
set -u
# shellcheck source=tests/package/steps.sh
. /src/tests/package/steps.sh
documented "echo 'deb"
autopkgtest --no-built-binaries --output-dir /tmp/tests /source/rdma-tph_*.dsc -- null
echo "status $?"
cat /tmp/tests/summary
# A test that is skipped was not made.
awk '$2 == "PASS" { print "pass", $1; next } { print "fail", $1 }' /tmp/tests/summary >>/cases
sed -n 's/^Tests: //p' /source/control | while read -r name; do
	grep -q "^[a-z]* $name\$" /cases || echo "fail $name" >>/cases
done

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root, in an empty directory: upstream's source with its debian/ and our patches becomes source/.
# Arguments: upstream's tarball, patches.
set -eu
cp "$1" .
mkdir source
tar -xf "$1" -C source --strip-components=1
shift
cd source
sh -eu /src/packaging/quilt.sh "$@"

# From Debian 13 on two of the libraries have other names, of the change to 64-bit time_t, and packages of the
# archive depend on those.
# And from there on no package has files in /lib, which is a link.
names=
# shellcheck source=/dev/null
. /etc/os-release
if [ "$VERSION_CODENAME" != bookworm ]; then
	names='librdmacm1 libibnetdisc5'
	sed -i 's/--with python3 /--with python3,movetousr /' debian/rules
	sed -i 's/^Build-Depends: /Build-Depends: dh-sequence-movetousr,\n               /' debian/control
	grep -q 'python3,movetousr ' debian/rules
fi
for name in $names; do
	mv "debian/$name.install" "debian/${name}t64.install"
	mv "debian/$name.symbols" "debian/${name}t64.symbols"
	sed -i "1s/ $name / ${name}t64 /" "debian/${name}t64.symbols"
	awk -v name="$name" '
		$0 == "Package: " name {
			print $0 "t64"
			print "Provides: ${t64:Provides}"
			print "Replaces: " name
			print "Breaks: " name " (<< ${source:Version})"
			print "X-Time64-Compat: " name
			next
		}
		{
			gsub(name " \\(", name "t64 (")
			print
		}' debian/control >../control
	mv ../control debian/control
done

# What we add to IBVERBS may be there under the same version, with other contents, in a later official
# release: programs that use it depend on our package by a name of its own.
added=IBVERBS_1.19
if grep -q "@$added " debian/libibverbs1.symbols; then
	awk -v added="@$added" '
		NR == 1 {
			print
			print "| libibverbs1-tph1"
			next
		}
		index($1, added) { $0 = " " $1 " 65.0-1.1+tph1~" (/^ [_a-z]/ ? " 1" : "") }
		{ print }' debian/libibverbs1.symbols >../symbols
	mv ../symbols debian/libibverbs1.symbols
	sed -i '/^Package: libibverbs1$/a Provides: libibverbs1-tph1' debian/control
fi

# python3-pyverbs ships tests that cannot run compressed.
printf '\noverride_dh_compress:\n\tdh_compress -X.py\n' >>debian/rules

cat /src/packaging/rdma-core/changelog debian/changelog >../changelog
mv ../changelog debian/changelog

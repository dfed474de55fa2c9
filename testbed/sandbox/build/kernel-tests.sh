#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: build the programs of kernel/tests, that test the kernel series from user space, of
# providers/tests, of tests/faults and tests/reports, of perftest/tests, librdmacm-examples, and what tph-doctor and ./tph matrix, cost, bench and report run in the
# guest. Arguments: output directory, the patched kernel's headers, installed rdma-core, unpatched rdma-core.
# A file with main() is a program; the other files are there for each of them.
set -eu
out=$1
objects=$out.o
version=$(cat /src/VERSION)
mkdir -p "$objects"
# libibverbs has older copies of the kernel's headers, so the kernel's own come first.
compile()
{
	ccache gcc -std=gnu17 -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE "-DTPH_VERSION=\"$version\"" \
		-pthread -I/src -I/src/kernel/tests \
		-isystem "$2" -isystem "$3/usr/include" -c -o "$objects/$(basename "$4" .c).o" "$4"
}
shared='' programs=''
for file in /src/kernel/tests/*.c /src/providers/tests/*.c /src/tests/faults/*.c /src/tests/reports/*.c /src/testbed/matrix/*.c /src/testbed/cost/*.c /src/testbed/bench/*.c \
	/src/testbed/report/cpu_copy.c /src/doctor/*.c /src/librdmacm-examples/*.c /src/vfiobar/vfiobar*.c; do
	[ -f "$file" ] || continue
	compile "$1" "$2" "$3" "$file"
	object=$objects/$(basename "$file" .c).o
	if grep -q '^int main(' "$file"; then
		programs="$programs $object"
	else
		shared="$shared $object"
	fi
done
# shellcheck disable=SC2086 # a list of objects
ar rcs "$objects/libshared.a" $shared
# An archive, so that a program needs of libibverbs what it calls, and nothing that others do.
for object in $programs; do
	gcc -pthread -o "$out/$(basename "$object" .o)" "$object" "$objects/libshared.a" -L"$3/usr/lib/x86_64-linux-gnu" \
		-Wl,-rpath-link,"$3/usr/lib/x86_64-linux-gnu" -Wl,--as-needed -lmlx5 -lrdmacm -libverbs
done
mkdir "$out/selftests"
for file in /src/perftest/tests/*.c /src/testbed/report/ioctl_bytes.c; do
	gcc -std=gnu17 -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -shared -fPIC -isystem "$2" \
		-o "$out/$(basename "$file" .c).so" "$file"
done
sh -eu /src/testbed/sandbox/build/old-tests.sh "$out" "$2" "$4" "$objects/libshared.a"
sh -eu /src/testbed/sandbox/build/examples.sh "$out/examples" "$3"
rm -rf "$objects"

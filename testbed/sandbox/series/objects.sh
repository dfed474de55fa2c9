#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: compile objects with all warnings. Arguments: gcc or clang, 1 to check with sparse
# what is compiled or 2 to check all, objects. Leaves /run/build/COMPILER.log and sparse.log.
set -eu
compiler=$1
check=$2
shift 2
object=/run/build/o.$compiler
cd /run/build/src
: >"/run/build/$compiler.log"
: >/run/build/sparse.log
[ "$check" != 2 ] || for file; do
	rm -f "$object/$file"
done
set -- -s -k -j"$(nproc)" O="$object" CC="ccache $compiler" W=1 "$@"
[ "$compiler" != gcc ] || set -- "$@" C=1 CHECK="sh /src/testbed/sandbox/series/sparse.sh"
make -s -j"$(nproc)" O="$object" CC="ccache $compiler" prepare
make "$@" 2>"/run/build/$compiler.log" || {
	grep -E 'error|Error' "/run/build/$compiler.log" | head -n 20
	exit 1
}

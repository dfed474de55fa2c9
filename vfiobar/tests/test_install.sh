#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What an application sees of the installed library: the pkg-config file, a header that C and C++ take
# alone, the soname, and of all symbols those that the header declares. Argument: top of the tree.
set -eu
top=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cmake -S "$top" -B "$dir/build" -DTPH_SANITIZE=OFF -DBUILD_TESTING=OFF -DBUILD_SHARED_LIBS=ON \
	-DCMAKE_INSTALL_PREFIX=/usr >/dev/null
cmake --build "$dir/build" --target vfiobar vfiobar_lib vfiobar_shared >/dev/null
DESTDIR=$dir/root cmake --install "$dir/build/vfiobar" >/dev/null
failed=0

# equal EXPECTED ACTUAL WHAT
equal() {
	[ "$1" = "$2" ] && return
	printf 'FAIL: %s: expected "%s", got "%s"\n' "$3" "$1" "$2"
	failed=1
}

lib=$(find "$dir/root/usr" -name 'libvfiobar.so.1')
equal libvfiobar.so.1 "$(objdump -p "$lib" | sed -n 's/^ *SONAME *//p')" soname

sed -n 's/^[a-z].*[ *]\(vfiobar_[a-z_]*\)(.*/\1/p' "$top/vfiobar/vfiobar.h" | sort -u >"$dir/declared"
nm -D --defined-only "$lib" | sed -n 's/.* T \(.*\)@@LIBVFIOBAR_1\.[0-9]*$/\1/p' | sort >"$dir/exported"
equal '' "$(diff "$dir/declared" "$dir/exported")" "declared (<) and exported (>) functions"
equal "$(sort <"$dir/exported")" "$(nm -D --defined-only "$lib" |
	sed -n 's/.* [TDBR] \(.*\)@@.*/\1/p' | sort)" "exported symbols"

# What the files share is seen by nobody else.
equal '' "$(find "$dir/root/usr" -name 'vfiobar_internal*')" "installed internals"

export PKG_CONFIG_PATH="${lib%/*}/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$dir/root"
"$top/vfiobar/tests/example.sh" "$top/vfiobar/man/vfiobar.3" "$dir/example.c"
printf '#include <vfiobar.h>\nint main(void) { return !vfiobar_errno_name(1); }\n' >"$dir/cxx.cc"
# shellcheck disable=SC2046 # a list of options
gcc -std=c99 -Wall -Wextra -pedantic -Werror -o "$dir/example" "$dir/example.c" \
	$(pkg-config --cflags --libs vfiobar) || failed=1
# shellcheck disable=SC2046
g++ -Wall -Wextra -Werror -o "$dir/cxx" "$dir/cxx.cc" $(pkg-config --cflags --libs vfiobar) || failed=1
LD_LIBRARY_PATH=${lib%/*} "$dir/cxx" || failed=1
status=0
out=$(LD_LIBRARY_PATH=${lib%/*} "$dir/example" x.y 2>&1) || status=$?
equal "$(cat "$top/VERSION")" "$(pkg-config --modversion vfiobar)" "version"
equal "1 'x.y' is not a PCI address (domain:bus:dev.fn)" "$status $out" "example"

# Each public function is in a page.
while read -r name; do
	[ -f "$dir/root/usr/share/man/man3/$name.3" ] || {
		echo "FAIL: no manual page $name.3"
		failed=1
	}
done <"$dir/declared"
exit $failed

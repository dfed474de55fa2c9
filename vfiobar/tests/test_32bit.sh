#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The library, its unit tests and the program as processes of 32 bits see them: offsets of 64, structures of the same
# sizes. Exit status 77 where the compiler cannot; with TPH_32BIT_MUST set, that is a failure. Argument: top of the tree.
set -u
top=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
echo 'int main(void) { return sizeof(long) != 4; }' >"$dir/main.c"
if ! gcc -m32 -o "$dir/main" "$dir/main.c" 2>"$dir/log" || ! "$dir/main"; then
	echo "gcc cannot make programs of 32 bits here (gcc-multilib)"
	[ -z "${TPH_32BIT_MUST:-}" ] || exit 1
	exit 77
fi
# They do not know of the machine below them: all of that is caught at link time.
wrap=-Wl,--wrap=open64,--wrap=fopen64,--wrap=opendir,--wrap=readlink,--wrap=access,--wrap=ioctl
fake="$top/vfiobar/tests/fake_vfio.c $wrap"
version=$(cat "$top/VERSION")

# compile NAME FILE...: with the library.
compile()
{
	name=$1
	shift
	gcc -m32 -std=gnu17 -g -pthread -Wall -Wextra -Werror -D_GNU_SOURCE "-DTPH_VERSION=\"$version\"" -I"$top" \
		-I"$top/vfiobar" -I"$top/vfiobar/tests/32bit" -o "$dir/$name" "$@" "$top"/vfiobar/vfiobar*.c || exit 1
}

for test in "$top"/vfiobar/tests/test_*.c; do
	# shellcheck disable=SC2046,SC2086 # lists of files
	compile "$(basename "$test" .c)" "$test" $(! grep -q fake_vfio.h "$test" || echo $fake)
	"$dir/$(basename "$test" .c)" || exit 1
done
"$top/vfiobar/tests/example.sh" "$top/vfiobar/man/vfiobar.3" "$dir/example.c" || exit 1
# shellcheck disable=SC2086
compile main "$top/vfiobar/main.c" "$top/vfiobar/show.c" $fake
# shellcheck disable=SC2086
compile example "$dir/example.c" $fake
"$top/vfiobar/tests/test_program.sh" "$dir/main" || exit 1
"$top/vfiobar/tests/test_example.sh" "$dir/example"

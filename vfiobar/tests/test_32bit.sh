#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The library and the program as processes of 32 bits see them: offsets of 64, structures of the same sizes. Exit
# status 77 where the compiler cannot. Argument: top of the tree.
set -u
top=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
echo 'int main(void) { return sizeof(long) != 4; }' >"$dir/main.c"
if ! gcc -m32 -o "$dir/main" "$dir/main.c" 2>"$dir/log" || ! "$dir/main"; then
	echo "gcc cannot make programs of 32 bits here (gcc-multilib)"
	exit 77
fi
# The example of the manual page does not know of the machine below it: all of that is caught at link time.
wrap=-Wl,--wrap=open64,--wrap=fopen64,--wrap=opendir,--wrap=readlink,--wrap=access,--wrap=ioctl
"$top/vfiobar/tests/example.sh" "$top/vfiobar/man/vfiobar.3" "$dir/example.c" || exit 1
version=$(cat "$top/VERSION")
for program in "$top/vfiobar/main.c $top/vfiobar/show.c" "$dir/example.c"; do
	name=$(basename "${program%% *}" .c)
	# shellcheck disable=SC2086 # a list of files
	gcc -m32 -std=gnu17 -g -Wall -Wextra -Werror -D_GNU_SOURCE "-DTPH_VERSION=\"$version\"" \
		-I"$top" -I"$top/vfiobar" -o "$dir/$name" $program "$top/vfiobar/tests/fake_vfio.c" "$top"/vfiobar/vfiobar*.c \
		$wrap || exit 1
done
"$top/vfiobar/tests/test_program.sh" "$dir/main" || exit 1
"$top/vfiobar/tests/test_example.sh" "$dir/example"

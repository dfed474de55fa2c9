#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In a copy of a root with the packages of `compilers`: with ours installed, the main job and programs of the reader run
# on them. Leaves a line pass|fail NAME in /cases for each step. $HEADERS: those of the patched kernel.
set -u
# shellcheck source=tests/package/steps.sh
. /src/tests/package/steps.sh
tree=/usr/share/rdma-tph
share=/var/tmp/share

# main_job: as told to, with what is installed: what was required, what the memory key got and what the completer
# counted are the same.
main_job()
{
	documented 'tph run' --json /run/report.json && jq -e '
		[.runs[] | select(.perftest.applied)] as $hinted
		| ($hinted | length) >= 4 and all($hinted[];
			(.perftest.applied | {ph, st: .steering_tag, st_width}) as $applied
			| .perftest.applied.source == "dma-buf" and .perftest.applied.fallback == false
			and $applied == (.mkey | {ph, st, st_width})
			and ([.completer.by_hint[] | del(.count)] | length == 1 and .[0] == $applied))' /run/report.json
}

# programs: linked to the installed libraries: the example of docs/application.md, as its readers compile it, and the
# program that holds the read-back against what the completer counts.
programs()
{
	mkdir -p $share
	awk '/^#/ { mine = /application programmers/ } mine && /^    / { code = 1 } code && /^[^ ]/ { exit }
		code { sub(/^    /, ""); print }' $tree/docs/application.md | cat - $tree/providers/tests/example/main.c >/tmp/readme.c
	# shellcheck disable=SC2046 # lists of options
	gcc -D_GNU_SOURCE -Wall -Wextra -Werror -o $share/readme /tmp/readme.c \
		$(pkg-config --cflags --libs vfiobar libibverbs) &&
		gcc -std=gnu17 -O2 -Wall -Wextra -D_GNU_SOURCE -pthread -I$tree -I$tree/kernel/tests -isystem "$HEADERS" \
			-o $share/verbs_tph $tree/providers/tests/verbs_tph.c $(shared) \
			$(pkg-config --cflags --libs vfiobar libibverbs libmlx5)
}

# shared: the files without a main() that test programs are linked with.
shared()
{
	grep -L '^int main(' $tree/kernel/tests/*.c $tree/providers/tests/*.c
}

# in_guest: those programs, with a libibverbs that is the one installed here.
in_guest()
{
	programs='/usr/bin/vfiobar /usr/bin/rdma_bar_server /usr/bin/rdma_bar_client /usr/bin/rdma_bar_tags /usr/bin/tph-doctor'
	# shellcheck disable=SC2086 # a list
	sha256sum /usr/lib/x86_64-linux-gnu/libibverbs.so.1 $programs /usr/bin/ib_write_bw >$share/installed
	echo "$programs" >$share/programs
	cat >$share/run.sh <<'EOF'
set -eu
. /mnt/src/testbed/guest/control.sh
. /mnt/src/testbed/guest/vfio.sh
sha256sum -c /mnt/share/installed
for program in $(cat /mnt/share/programs); do
	[ "$(command -v "${program##*/}")" = "$program" ]
done
gpu=$(bdf_of gpu0)
vfio_bind "$gpu"
/mnt/share/readme "$gpu" mlx5_0
/mnt/share/readme "$gpu" mlx5_1
/mnt/share/verbs_tph mlx5_0 "$gpu" gpu0
/mnt/share/verbs_tph mlx5_1 "$gpu" gpu0
EOF
	status=0
	tph exec --installed --share $share -- sh /mnt/share/run.sh >/tmp/out || status=$?
	cat /tmp/out
	[ "$status" -eq 0 ] && grep -qx '8-bit tag 42, PH 2' /tmp/out && grep -qx '16-bit tag 4660, PH 2' /tmp/out &&
		awk '/^1\.\./ { plan += substr($0, 4) } /^ok / && !/# SKIP/ { ok++ }
			END { exit !(plan >= 18 && ok == plan) }' /tmp/out
}

# examples: what the programs of librdmacm-examples say and what is counted, and the suites that have them and vfiobar.
examples()
{
	documented 'tph example' --json /run/example.json && jq -e . /run/example.json >/tmp/out &&
		documented 'tph test'
}

# symbols: those of each program and library are in a package for debuggers.
symbols()
{
	for deb in "$repo"/*-dbgsym_*.deb; do
		dpkg-deb -c "$deb"
	done | sed -n 's,.*/usr/lib/debug/\.build-id/\(..\)/\(.*\)\.debug$,\1\2,p' >/tmp/there
	dpkg -L libvfiobar1 vfiobar tph-doctor tph-emulator rdma-bar-examples perftest libibverbs1 | while read -r file; do
		if [ ! -f "$file" ] || [ -L "$file" ]; then
			continue
		fi
		id=$(readelf -n "$file" 2>/dev/null | sed -n 's/.*Build ID: //p')
		[ -z "$id" ] || grep -qx "$id" /tmp/there || echo "$file"
	done >/tmp/without
	cat /tmp/without
	[ -s /tmp/there ] && [ ! -s /tmp/without ]
}

# own_kernel: the guest runs the kernel package that is installed here.
own_kernel()
{
	# shellcheck disable=SC2016 # a field of dpkg-query
	image=$(dpkg-query -W -f '${Package}\n' 'linux-image-*-tph*')
	tph exec --installed -- uname -r >/tmp/out || return 1
	cat /tmp/out
	grep -qxF "${image#linux-image-}" /tmp/out
}

# without: --installed with less than it needs names what is missing.
without()
{
	apt-get -q -y install rdma-tph vfiobar && says 1 '^tph run: --installed: libibverbs1 .* not' tph run --installed
}

# shellcheck disable=SC2086 # lists
{
	step 'the archive is added as documented' documented "echo 'deb"
	step 'tph without the other packages says what is missing' without
	step 'what is documented is installed' documented 'apt install'
	step 'installed' apt-get -q -y install $ours
	step 'symbols for debuggers' symbols
	case $ours in
	*linux-image-*) step 'the guest runs the installed kernel' own_kernel ;;
	esac
	step 'a command in a guest, as documented' documented 'tph exec'
	step 'programs for the installed libraries' programs
	step 'the main job runs from the packages' main_job
	case $ours in
	# Tests have programs for the headers of a kernel of the testbed.
	*linux-image-*) ;;
	*) step 'vfiobar and the examples from the packages' examples ;;
	esac
	step 'read-back of a required hint equals what the completer counts' in_guest
}

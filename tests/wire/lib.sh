# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the tests of captures: a dissector that nobody here wrote, in a root of its own.
. "$TPH_TOP/testbed/test/host-lib.sh"
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/host/roots.sh"

# in_share COMMAND...: in the sandbox, with the test's directory as /mnt/share.
in_share()
{
	SANDBOX_SHARE=$PWD
	in_sandbox "$@"
}

# captures: ethernet.pcapng and infiniband.pcapng, of packet/tests/capture_all.c. tshark does not know
# link type 247: it is told what USER0 is.
captures()
{
	in_share sh -eu -c 'cmake -G Ninja -S /src -B /tmp/build -DTPH_DOCTOR=OFF -DCMAKE_C_COMPILER_LAUNCHER=ccache
		ninja -C /tmp/build capture_all
		/tmp/build/packet/capture_all /mnt/share/ethernet.pcapng /mnt/share/infiniband.pcapng 147' >build.log 2>&1 || {
		cat build.log
		fail 'no captures'
	}
}

# judge NAME: seen has a result for each packet of NAME.pcapng. A UDP checksum of 0 is what RoCE has, over IPv6,
# too.
judge()
{
	judge_status=0
	SANDBOX_SHARE=$PWD
	in_debian_root dissect python3 -B /src/tests/wire/judge.py "/mnt/share/$1.pcapng" \
		-o udp.ignore_ipv6_zero_checksum:TRUE -o 'uat:user_dlts:"User 0 (DLT=147)","infiniband","0","","0",""' \
		>seen || judge_status=$?
	return "$judge_status"
}

# written: trace.bin, hca0.pcapng and hca1.pcapng of emulator/tests/capture_write.c, and run.pcapng with all of them between its
# marks; text has what tlpdump prints of the trace.
written()
{
	in_share sh -eu -c 'cmake -G Ninja -S /src -B /tmp/build -DTPH_DOCTOR=OFF -DTPH_SANITIZE=OFF -DCMAKE_C_COMPILER_LAUNCHER=ccache
		ninja -C /tmp/build capture_write tlpdump
		/tmp/build/emulator/capture_write /mnt/share
		cd /mnt/share
		set -- /tmp/build/pcie/tlpdump --from write --to end
		"$@" trace.bin >text
		"$@" --pcapng run.pcapng --packets hca0.pcapng --packets hca1.pcapng trace.bin' >build.log 2>&1 || {
		cat build.log
		fail 'no captures of a write'
	}
	show
}

# roce: hca0.pcapng and hca1.pcapng of hca/tests/capture_roce.c.
roce()
{
	in_share sh -eu -c 'cmake -G Ninja -S /src -B /tmp/build -DTPH_DOCTOR=OFF -DTPH_SANITIZE=OFF -DCMAKE_C_COMPILER_LAUNCHER=ccache
		ninja -C /tmp/build capture_roce
		/tmp/build/hca/capture_roce /mnt/share' >build.log 2>&1 || {
		cat build.log
		fail 'no captures of RoCE'
	}
	show
}

# show: files for the dissector, which is nobody there, and whom the checkout may not be for.
show()
{
	cp "$TPH_TOP/pcie/tlp.lua" .
	chmod a+rx .
	chmod a+r ./*
}

# tshark_of FILE OPTION...: tshark with pcie/tlp.lua, not as root: then it would take no script.
tshark_of()
{
	file=$1
	shift
	SANDBOX_SHARE=$PWD
	in_debian_root dissect setpriv --reuid 65534 --regid 65534 --clear-groups \
		tshark -r "/mnt/share/$file" -X lua_script:/mnt/share/tlp.lua "$@"
}

# beside FILE: what there is in it, a line each: interface, from where to where, what, and of a packet its number.
beside()
{
	tshark_of "$1" -o 'gui.column.format:"i","%Cus:frame.interface_name:0:R","s","%s","d","%d","n","%i","q","%Cus:infiniband.bth.psn"' |
		sed 's/ → / -> /; s/  */ /g; s/^ //; s/ $//'
}

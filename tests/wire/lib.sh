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

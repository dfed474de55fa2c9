# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph doctor: what this machine lacks for the testbed. tph-doctor is another program: it looks at HCAs and endpoints.
echo "Can the testbed run on this machine? (HCAs and endpoints, here or in a guest: tph-doctor)"
wrong=0
rows=$(mktemp)
on_exit "rm -f '$rows'"

good()
{
	echo "ok       $*"
	echo "{\"ok\": true, \"what\": $(json_string "$*"), \"mend\": null}" >>"$rows"
}

# bad WHAT MEND
bad()
{
	echo "WRONG    $1"
	echo "         mend: $2"
	echo "{\"ok\": false, \"what\": $(json_string "$1"), \"mend\": $(json_string "$2")}" >>"$rows"
	wrong=$((wrong + 1))
}

if [ "$(id -u)" -eq 0 ]; then
	good "running as root"
else
	bad "not running as root" "sudo ./tph doctor"
fi
if [ "$(uname -m)" = x86_64 ]; then
	good "an x86-64 machine"
else
	bad "this machine is $(uname -m)" "use an x86-64 machine; the guest is one"
fi
if command -v apt-get >/dev/null && [ -x /usr/lib/apt/apt-helper ]; then
	good "apt is there"
	if address=$(mirror); then
		probe=$(mktemp -d)
		on_exit "rm -rf '$probe'"
		if download "$address/dists/trixie/Release" "$probe/Release" 2>/dev/null; then
			good "the Debian archive of this machine has trixie"
		else
			bad "cannot read trixie from the Debian archive of this machine" \
				"look at /etc/apt/sources.list* and the network, or set TPH_MIRROR"
		fi
	else
		bad "apt has no Debian archive" "name one in /etc/apt/sources.list, or set TPH_MIRROR"
	fi
else
	bad "no apt here" "use Debian 12 or 13"
fi
missing=$(sandbox_host_packages)
if [ -z "$missing" ]; then
	good "mmdebstrap and bubblewrap are installed"
else
	bad "not installed:$missing" "apt-get install$missing (./tph does it by itself)"
fi
if command -v bwrap >/dev/null; then
	if bwrap --ro-bind / / --proc /proc --dev /dev --unshare-pid --unshare-net true 2>/dev/null; then
		good "name spaces and mounts work"
	else
		bad "bubblewrap cannot make name spaces here" \
			"in a container, allow it to mount and to unshare (a privileged one does)"
	fi
fi
if [ -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
	good "Debian's archive keys are there"
else
	bad "Debian's archive keys are missing" "apt-get install debian-archive-keyring"
fi
# The cache need not be there yet.
place=$TPH_CACHE
while [ ! -d "$place" ]; do
	place=$(dirname "$place")
done
free=$(df -Pm "$place" 2>/dev/null | awk 'NR == 2 { print $4 }')
if [ "${free:-0}" -ge 12000 ]; then
	good "$free MiB free for $TPH_CACHE"
else
	bad "only ${free:-no} MiB free for $TPH_CACHE" "12000 are needed; free some or set TPH_CACHE"
fi
memory=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
if [ "$memory" -ge 3000 ]; then
	good "$memory MiB of memory available"
else
	bad "only $memory MiB of memory available" "3000 are needed: the guest takes one GiB, a build more"
fi
cores=$(nproc)
if [ "$cores" -ge 2 ]; then
	good "$cores processors"
else
	bad "one processor only" "two are needed: the emulator polls beside the guest"
fi
! json_wanted || echo "{\"wrong\": $wrong, \"checks\": $(json_lines "$rows")}" | json_made
[ "$wrong" -eq 0 ] || {
	echo "$wrong to mend"
	exit 1
}

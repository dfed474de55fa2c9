# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The Debian mirror of this machine, as its apt is configured, and downloads from it.

# mirror: base address of the Debian archive (not of the security archive).
mirror()
{
	if [ -z "${TPH_MIRROR:-}" ]; then
		# shellcheck disable=SC2016 # the variable is apt's
		TPH_MIRROR=$(apt-get indextargets --no-release-info --format '$(REPO_URI)' \
			'Created-By: Packages' 2>/dev/null |
			grep -v security | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }')
		[ -n "$TPH_MIRROR" ] || die "apt knows no Debian archive; look at /etc/apt/sources.list*"
		TPH_MIRROR=${TPH_MIRROR%/}
	fi
	echo "$TPH_MIRROR"
}

# download URL FILE [SHA256]: with apt's own downloader, which uses apt's proxy and verifies.
download()
{
	# apt fetches as the user _apt where it can, so into a directory of its own.
	/usr/lib/apt/apt-helper -qq download-file "$1" "$2.part" ${3:+"SHA256:$3"} >/dev/null &&
		mv "$2.part" "$2"
}

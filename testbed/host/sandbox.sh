# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The sandbox: a Debian trixie root with QEMU, compilers and tools, entered with bubblewrap. What
# runs inside has name spaces of its own, so processes and mounts end with it.
#
#     /src        this checkout, or SANDBOX_SOURCE, read-only
#     /cache      the cache directory
#     /run/tph    the run directory

# Packages of the host that build and enter the sandbox.
sandbox_host_packages()
{
	missing=
	command -v mmdebstrap >/dev/null || missing="$missing mmdebstrap"
	command -v bwrap >/dev/null || missing="$missing bubblewrap"
	echo "$missing"
}

sandbox_install_host_packages()
{
	missing=$(sandbox_host_packages)
	[ -n "$missing" ] || return 0
	step "installing$missing on this machine" "$TPH_CACHE/log/host-packages.log" sh -c \
		"apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing"
}

# sandbox_prepare: the root exists afterwards; sets SANDBOX_ROOT.
sandbox_prepare()
{
	require_root
	sandbox_install_host_packages
	debian_root_entry sandbox "$TPH_TOP/testbed/packages/sandbox"
	SANDBOX_ROOT=$DEBIAN_ROOT
}

# in_sandbox COMMAND...: with the checkout, the cache and the run directory bound in. There is no network, unless SANDBOX_NET is set.
in_sandbox()
{
	sandbox_net=--unshare-net
	[ -z "${SANDBOX_NET:-}" ] || sandbox_net=
	bwrap --ro-bind "$SANDBOX_ROOT" / --ro-bind "${SANDBOX_SOURCE:-$TPH_TOP}" /src --bind "$TPH_CACHE" /cache \
		--dev /dev --proc /proc --tmpfs /tmp --tmpfs /var/tmp --tmpfs /run \
		--dir /run/tph ${TPH_RUN_DIR:+--bind "$TPH_RUN_DIR" /run/tph} \
		${SANDBOX_BUILD:+--bind "$SANDBOX_BUILD" /run/build} \
		${SANDBOX_SHARE:+--bind "$SANDBOX_SHARE" /mnt/share} \
		${SANDBOX_KVM:+--dev-bind /dev/kvm /dev/kvm} \
		--unshare-pid ${sandbox_net:+"$sandbox_net"} --unshare-ipc --unshare-uts --die-with-parent \
		--clearenv --setenv PATH /usr/sbin:/usr/bin:/sbin:/bin --setenv HOME /tmp \
		--setenv LC_ALL C.UTF-8 --setenv TERM "${TERM:-dumb}" \
		--setenv CCACHE_DIR /cache/ccache --setenv CCACHE_MAXSIZE 4G \
		--setenv CCACHE_NOHASHDIR 1 --setenv CCACHE_SLOPPINESS time_macros --setenv CCACHE_DEPEND 1 \
		--chdir / "$@"
}

# sandbox_python MODULE ARG...: a Python program of testbed/ in there, as run.judge; what it starts finds the others, too.
sandbox_python()
{
	sandbox_module=testbed.$1
	shift
	in_sandbox --setenv PYTHONPATH /src --setenv PYTHONDONTWRITEBYTECODE 1 python3 -m "$sandbox_module" "$@"
}

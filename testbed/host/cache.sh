# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The cache: its mark, who uses it, its entries. Descriptor 8 is the lock of all who use it, 9 that of who builds.
# shellcheck disable=SC2034 # read by the files that source this one

cache_mark='# The cache of rdma-tph (./tph); ./tph clean removes what is in it.'
# What entries are called before the hash of what they were made of.
cache_entries='sandbox|guest|image|browser|installed|programs|machine|machine-root|kernel|kernel-tests|rdma-core|rdma-core-root|rdma-core-stock'
cache_entries="$cache_entries|perftest|iproute2|fuzz-root|fuzz|package|package-root|source"
TPH_OPEN=
TPH_LOCKED=
: "${CACHE_TMP:=}"

# cache_name: TPH_CACHE as an absolute path, which is passed through files and commands of several programs.
cache_name()
{
	case $TPH_CACHE in
	/*) ;;
	*) TPH_CACHE=$PWD/$TPH_CACHE ;;
	esac
	case $TPH_CACHE in
	*[!A-Za-z0-9/._+@%~-]*) die "TPH_CACHE='$TPH_CACHE' has a character that the path of the cache must not have;" \
		"letters, digits and / . _ + @ % ~ - are allowed" ;;
	esac
}

# cache_is_ours: it has our mark, or is one of an earlier version, which had none.
cache_is_ours()
{
	grep -qsxF "$cache_mark" "$TPH_CACHE/CACHEDIR.TAG" || {
		[ -f "$TPH_CACHE/lock" ] && [ -d "$TPH_CACHE/log" ] &&
			find "$TPH_CACHE" -mindepth 1 -maxdepth 1 -type d -name 'sandbox-????????????????' | grep -q .
	}
}

# cache_open: it is there and ours, and nobody removes anything of it until we end.
cache_open()
{
	[ -z "$TPH_OPEN" ] || return 0
	if ! cache_is_ours; then
		[ ! -e "$TPH_CACHE" ] || [ -d "$TPH_CACHE" ] || die "TPH_CACHE=$TPH_CACHE: is no directory"
		[ -z "$(ls -A "$TPH_CACHE" 2>/dev/null)" ] || die "TPH_CACHE=$TPH_CACHE: has files, but is no cache of" \
			"./tph (no CACHEDIR.TAG of it); name a directory that is empty or not there"
		first_run
		mkdir -p "$TPH_CACHE"
	fi
	[ -e "$TPH_CACHE/CACHEDIR.TAG" ] ||
		printf 'Signature: 8a477f597d28d172789f06886806bc55\n%s\n' "$cache_mark" >"$TPH_CACHE/CACHEDIR.TAG"
	exec 8>>"$TPH_CACHE/in-use"
	if ! flock -n -s 8; then
		say "./tph clean is at work in $TPH_CACHE; waiting for it"
		flock -s 8
	fi
	TPH_OPEN=1
}

# first_run: what will be done to this machine, before it is done.
first_run()
{
	first_missing=$(sandbox_host_packages)
	say "first use: ${first_missing:+apt-get installs$first_missing on this machine; }downloads 1 GB from Debian and builds in"
	say "  $TPH_CACHE (12 GB when all is built): a quarter of an hour on two cores, once."
	say "  Nothing else of this machine changes; './tph clean --all' removes it, './tph doctor' says what is lacking."
}

# cache_lock: one builder at a time; the kernel drops the lock when we die.
cache_lock()
{
	cache_open
	exec 9>"$TPH_CACHE/lock"
	if ! flock -n 9; then
		say "another tph is building in $TPH_CACHE; waiting for it"
		flock 9
	fi
	TPH_LOCKED=1
	# What a killed predecessor left half done; nobody else can be at it now.
	rm -rf "$TPH_CACHE"/tmp.*
}

cache_unlock()
{
	flock -u 9
	exec 9>&-
	TPH_LOCKED=
}

# cache_tmp: a new directory that becomes a cache entry by cache_publish, or disappears.
cache_tmp()
{
	CACHE_TMP=$(mktemp -d "$TPH_CACHE/tmp.XXXXXX")
	chmod 755 "$CACHE_TMP"
	on_exit "rm -rf '$CACHE_TMP'"
}

# cache_publish ENTRY: rename the directory of cache_tmp into place.
cache_publish()
{
	mv -T "$CACHE_TMP" "$TPH_CACHE/$1"
}

# key FILE...: a name made of the contents of the files (and of the text on stdin).
key()
{
	{
		cat
		for file in "$@"; do
			[ ! -f "$file" ] || cat "$file"
		done
	} | sha256sum | cut -c1-16
}

# run_dir: a directory for one run; kept when TPH_KEEP is set, as the one of --keep, or else removed at the end. A dry run
# has one outside of the cache.
run_dir()
{
	if [ -n "$OPT_DRY_RUN" ]; then
		TPH_RUN_DIR=$(mktemp -d)
		on_exit "rm -rf '$TPH_RUN_DIR'"
		return
	fi
	cache_open
	mkdir -p "$TPH_CACHE/run"
	TPH_RUN_DIR=$(mktemp -d "$TPH_CACHE/run/XXXXXX")
	if [ -n "$OPT_KEEP" ]; then
		# shellcheck disable=SC2016 # expanded at exit
		on_exit 'cp -a "$TPH_RUN_DIR" "$OPT_KEEP" && rm -rf "$TPH_RUN_DIR" && echo "kept: $OPT_KEEP" >&2'
	elif [ -n "${TPH_KEEP:-}" ]; then
		on_exit "echo 'kept: $TPH_RUN_DIR' >&2"
	else
		on_exit "rm -rf '$TPH_RUN_DIR'"
	fi
}

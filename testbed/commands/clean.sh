# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# shellcheck disable=SC2154 # testbed/host/cache.sh sets cache_entries
# ./tph clean [--all] [--edit]: remove what ./tph made in its cache.
rows=$(mktemp -d)
on_exit "rm -rf '$rows'"
: >"$rows/removed"
: >"$rows/left"

# gone PATH
gone()
{
	echo "${1#"$TPH_CACHE/"}" >>"$rows/removed"
	if [ -n "$OPT_DRY_RUN" ]; then
		echo "would remove $1"
	else
		rm -rf "$1"
	fi
}

# stays PATH WHY
stays()
{
	echo "stays: $1 ($2)"
	printf '%s\t%s\n' "${1#"$TPH_CACHE/"}" "$2" >>"$rows/left"
}

# refreshed TREE: nothing of it is lost with it: its commits are the series, as ./tph edit or refresh left them.
refreshed()
{
	refreshed_as=$(git -C "$1" rev-parse -q --verify 'refreshed^0' 2>/dev/null) &&
		[ "$(git -C "$1" rev-parse -q --verify 'HEAD^0')" = "$refreshed_as" ] &&
		[ -z "$(git -C "$1" status --porcelain)" ]
}

# clean_edit: the trees of ./tph edit.
clean_edit()
{
	for tree in "$TPH_CACHE"/edit/*; do
		[ -e "$tree" ] || continue
		if [ -n "$OPT_EDIT" ] || refreshed "$tree"; then
			gone "$tree"
		else
			stays "$tree" 'has work that was not refreshed; --edit removes it'
		fi
	done
	[ -n "$OPT_DRY_RUN" ] || rmdir "$TPH_CACHE/edit" 2>/dev/null || :
}

# lock_or_die DESCRIPTOR FILE WHY: nobody else has this lock. A dry run need not have it.
lock_or_die()
{
	[ -e "$TPH_CACHE/$2" ] && [ -z "$OPT_DRY_RUN" ] || return 0
	eval "exec $1<\"\$TPH_CACHE/$2\""
	flock -n "$1" || die "$3 in $TPH_CACHE; nothing was removed"
}

if [ -e "$TPH_CACHE" ]; then
	cache_is_ours ||
		die "TPH_CACHE=$TPH_CACHE: is no cache of ./tph (it has no CACHEDIR.TAG of mine); nothing was removed"
	lock_or_die 9 lock 'something is built'
	lock_or_die 8 in-use 'a guest runs, or another ./tph is at work'
fi
for entry in "$TPH_CACHE"/*; do
	[ -e "$entry" ] || continue
	case ${entry##*/} in
	CACHEDIR.TAG | lock | in-use) ;;
	download | ccache | fuzz | runs)
		if [ -n "$OPT_ALL" ]; then
			gone "$entry"
		fi
		;;
	edit) [ -z "$OPT_ALL$OPT_EDIT" ] || clean_edit ;;
	run | log | series | series-boot | mutant-kernel | coverage-kernel | *-work | tmp.??????) gone "$entry" ;;
	*)
		if echo "${entry##*/}" | grep -qxE "($cache_entries)-([a-z0-9.-]+-)?[0-9a-f]{16}"; then
			gone "$entry"
		else
			stays "$entry" 'not made by ./tph'
		fi
		;;
	esac
done
[ -s "$rows/removed" ] || echo "nothing to remove in $TPH_CACHE"
! json_wanted || cat <<EOF | json_made
{"cache": $(json_string "$TPH_CACHE"), "removed": [$(json_strings <"$rows/removed")],
"left": [$(cut -f 1 "$rows/left" | json_strings)]}
EOF

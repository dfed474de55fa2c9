# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# JSON made on the host, which need not have jq, and where it goes.

# json_strings: each line of the input as a string, with commas between them.
json_strings()
{
	LC_ALL=C awk '
		BEGIN { for (i = 1; i < 32; i++) control[sprintf("%c", i)] = sprintf("\\u%04x", i) }
		{
			text = ""
			for (i = 1; i <= length($0); i++) {
				c = substr($0, i, 1)
				text = text (c == "\\" || c == "\"" ? "\\" c : c in control ? control[c] : c)
			}
			printf "%s\"%s\"", NR == 1 ? "" : ", ", text
		}'
}

# json_string TEXT: as one string, or null when it is empty.
json_string()
{
	[ -n "$1" ] || {
		printf null
		return
	}
	printf '%s\n' "$1" | json_strings
}

# json_lines FILE: what is there, an object a line, as a list.
json_lines()
{
	printf '['
	paste -s -d , "$1" | tr -d '\n'
	printf ']'
}

# json_head: what every document begins with.
json_head()
{
	head_commit=$(git --no-optional-locks -C "$TPH_TOP" describe --always --abbrev=40 --dirty --exclude '*' 2>/dev/null || :)
	printf '"document": "%s", "schema": 1, "tph": "%s", "commit": %s, "date": "%s"' "${TPH_COMMAND:-none}" \
		"$(cat "$TPH_TOP/VERSION")" "$(json_string "$head_commit")" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
}

# json_result FILE: the object in FILE, with the head before its first member, is the document of --json. A document of a
# command that measures is kept, too.
json_result()
{
	{
		printf '{%s,\n' "$(json_head)"
		sed '1s/^{//' "$1"
	} >"$1.document"
	json_out "$1.document"
	mv "$1.document" "$1"
	results_keep "$1"
}

# json_out FILE: FILE goes where --json says.
json_out()
{
	case $OPT_JSON in
	'') ;;
	-) cat "$1" >&5 ;;
	*) cat "$1" >"$OPT_JSON" ;;
	esac
}

# json_wanted: whether there will be a document.
json_wanted()
{
	[ -n "$OPT_JSON" ] && [ -z "$OPT_DRY_RUN" ]
}

# json_made: the object on standard input is the document of --json.
json_made()
{
	json_file=$(mktemp)
	on_exit "rm -f '$json_file'"
	cat >"$json_file"
	json_result "$json_file"
}

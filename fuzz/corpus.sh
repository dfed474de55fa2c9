#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Minimises corpora into that of this directory: what of them reaches a branch that nothing shorter reaches.
# Usage: corpus.sh DIRECTORY-OF-PROGRAMS DIRECTORY-OF-CORPORA [TARGET...], both with one for each target.
set -eu
programs=$1
from=$2
shift 2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/corpus
# shellcheck disable=SC2046 # one word per target
[ $# -gt 0 ] || set -- $(ls "$from")
for target; do
	merged=$(mktemp -d)
	# Named inputs stay as they are.
	find "$here/$target" -type f | grep -E '/[0-9a-f]{40}$' >"$merged.list" || :
	mkdir "$merged/old" "$merged/new"
	xargs -r mv -t "$merged/old" <"$merged.list"
	"$programs/fuzz_$target" -merge=1 -use_counters=0 -timeout=30 -rss_limit_mb=512 -malloc_limit_mb=256 -max_len=2048 \
		-close_fd_mask=3 "$merged/new" "$merged/old" "$from/$target" >"$merged.log" 2>&1 || {
		tail -n 5 "$merged.log"
		exit 1
	}
	mkdir -p "$here/$target"
	find "$merged/new" -type f -exec cp -t "$here/$target" {} +
	echo "$target: $(find "$here/$target" -type f | wc -l) inputs, $(cat "$here/$target"/* | wc -c) bytes"
	rm -rf "$merged" "$merged.list" "$merged.log"
done

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph runs: what is kept.
if ! find "$TPH_CACHE/runs" -name '*.json' 2>/dev/null | grep -q .; then
	echo "no runs are kept in $TPH_CACHE"
	! json_wanted || echo '{"runs": []}' | json_made
	exit 0
fi
build_parts
run_dir
sandbox_python sandbox.runs /cache/runs /run/tph/runs.json
! json_wanted || json_result "$TPH_RUN_DIR/runs.json"

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph compare A B: figures, ratios, and what changed.
result_find "$1"
first=$RESULT first_file=$RESULT_FILE
result_find "$2"
build_parts
run_dir
cp "$first_file" "$TPH_RUN_DIR/first"
cp "$RESULT_FILE" "$TPH_RUN_DIR/second"
sandbox_python sandbox.compare "$first" /run/tph/first "$RESULT" /run/tph/second /run/tph/compare.json || exit 1
! json_wanted || json_result "$TPH_RUN_DIR/compare.json"

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph show RUN: its table.
result_find "$1"
build_parts
run_dir
cp "$RESULT_FILE" "$TPH_RUN_DIR/document"
sandbox_python sandbox.show "$RESULT" /run/tph/document || exit 1
[ -z "$OPT_JSON" ] || json_out "$RESULT_FILE"

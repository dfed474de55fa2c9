# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph show RUN: its table.
result_find "$1"
build_parts
run_dir
cp "$RESULT_FILE" "$TPH_RUN_DIR/document"
kind=$(in_sandbox jq -r '.document // ""' /run/tph/document) || die "$1: is no JSON"
results_kept "$kind" || die "$1: is no document of a command that is kept (docs/json.md)"
in_sandbox jq -r '"\(.date), tph \(.tph), commit \(.commit // "unknown")"' /run/tph/document | sed "s|^|$RESULT: |"
sandbox_python "$kind.table" /run/tph/document
[ -z "$OPT_JSON" ] || json_out "$RESULT_FILE"

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# ./tph complete -- WORD... LAST: for shells, see packaging/completion.
tph_awk complete "$@"

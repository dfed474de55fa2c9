#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# One step of a command (see step in common.sh), in name spaces of its own.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/host/load.sh"
"$@"

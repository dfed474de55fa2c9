#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# One guest suite of ./tph test in a process of its own, so that its run directory goes when it ends.
# Arguments as guest_suite; what is built, and TPH_RESULTS, in the environment.
set -eu
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/host/load.sh"
# shellcheck source=/dev/null
. "$TPH_TOP/testbed/host/suites.sh"
TPH_NAME='tph test'
guest_suite "$@"

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034,SC2154 # used by the tests; set by the lib.sh of soft-peer
# Sourced by the tests with two machines that have an HCA function each, in the first one, whose function is hca1: as those of soft-peer.

# shellcheck source=tests/soft-peer/lib.sh
. /mnt/src/tests/soft-peer/lib.sh
peer_is='the second machine'
# Python takes minutes to start on a machine that has much else to do. Who runs all of them has more time.
pair_seconds=400
many=1
[ -z "${TPH_FULL:-}" ] || many=20

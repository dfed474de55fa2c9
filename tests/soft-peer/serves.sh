#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# On a machine: whether a server of rdma_cm listens on the port.
# shellcheck source=testbed/guest/pair.sh
. /mnt/src/testbed/guest/pair.sh
serves "$1"

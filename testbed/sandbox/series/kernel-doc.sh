#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the sandbox: what kernel-doc says of files of the kernel tree $1.
set -eu
cd "$1"
shift
export PYTHONDONTWRITEBYTECODE=1
for file; do
	[ ! -f "$file" ] || scripts/kernel-doc -none -Wall "$file"
done

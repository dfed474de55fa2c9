#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the root of testbed/packages/rdma-core: rdma-core's own check of a build with IN_PLACE and ENABLE_STATIC.
set -eu
# It wants two modules that Python 3.13 has no more, for one function each.
mkdir /tmp/modules
echo 'from shlex import quote' >/tmp/modules/pipes.py
printf 'def parse_version(text):\n    return [int(n) for n in text.split(".")]\n' >/tmp/modules/pkg_resources.py
# It asks git where the source is.
cd /run/build/src
[ -e .git ] || git init -q .
git config --global --add safe.directory /run/build/src
PYTHONPATH=/tmp/modules python3 buildlib/check-build --src . --build build --cc gcc --cxx g++

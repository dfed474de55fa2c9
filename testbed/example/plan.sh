#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What ./tph example runs, a line each: number, example, the HCA function of the server's side, its width,
# option of the server that has the first tag, that tag, number of clients, option of the clients. Argument:
# examples.
set -eu
number=0
for kind in $1; do
	case $kind in
	bar) tags='42 48879' clients=1 ;;
	tags) tags='32 4096' clients=8 ;;
	esac
	number=$((number + 1))
	echo "$number $kind 0 8 -t ${tags% *} $clients -"
	number=$((number + 1))
	echo "$number $kind 1 16 -T ${tags#* } $clients -i"
done

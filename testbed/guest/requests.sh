# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced in another machine than the first one: the commands of the first one (on), until it ends.
# A command is a file NAME.command of /mnt/job/requests; NAME.out, NAME.err and NAME.status come of it, and NAME.kill ends it.

# requests_serve DEVICE ADDRESS GID-INDEX: what the line of this machine in the first one's /run/name-spaces says of it (ethernet.sh). Ends with it.
requests_serve()
{
	mkdir -p /mnt/job/requests
	echo "$*" >/mnt/job/place
	: >/mnt/job/ready
	cd /mnt/job/requests || return 1
	until [ -e /mnt/job/stop ]; do
		for request in *.command; do
			[ ! -e "$request" ] || {
				name=${request%.command}
				mv "$request" "$name.taken"
				request_serve "$name" &
			}
		done
		sleep 0.1
	done
}

# request_serve NAME: one command, which is a process group of its own.
request_serve()
{
	mv "$1.taken" "$1.run"
	setsid sh "$1.run" >"$1.out" 2>"$1.err" </dev/null &
	served=$!
	status=
	until [ -n "$status" ]; do
		[ ! -e "$1.kill" ] || kill -KILL -$served 2>/dev/null || :
		kill -0 $served 2>/dev/null || {
			status=0
			wait $served || status=$?
			break
		}
		sleep 0.1
	done
	echo $status >"$1.new"
	mv "$1.new" "$1.status"
}

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced in another machine than the first one: the commands of the first one (on), until it ends.
# A command is a file NAME.command of /mnt/job/requests; NAME.out, NAME.err and NAME.status come of it, and NAME.kill ends it.
# An emulated processor takes long to start a program, also sleep: there is one loop that looks, whatever runs.
requests_job=/mnt/job

# requests_serve DEVICE ADDRESS GID-INDEX: what the line of this machine in the first one's /run/name-spaces says of it (ethernet.sh). Ends with it.
requests_serve()
{
	mkdir -p $requests_job/requests
	echo "$*" >$requests_job/place
	: >$requests_job/ready
	cd $requests_job/requests || return 1
	until [ -e ../stop ]; do
		for request in *.command *.kill; do
			[ ! -e "$request" ] || case $request in
			*.command)
				name=${request%.command}
				mv "$request" "$name.taken"
				request_serve "$name" &
				;;
			*) request_end "${request%.kill}" ;;
			esac
		done
		sleep 0.2
	done
}

# request_serve NAME: one command, which is a process group of its own.
request_serve()
{
	mv "$1.taken" "$1.run"
	setsid sh "$1.run" >"$1.out" 2>"$1.err" </dev/null &
	served=$!
	echo $served >"$1.new"
	mv "$1.new" "$1.group"
	status=0
	wait $served || status=$?
	echo $status >"$1.new"
	mv "$1.new" "$1.status"
}

# request_end NAME: its processes, when they are there, or later.
request_end()
{
	[ -e "$1.group" ] || return 0
	rm "$1.kill"
	[ -e "$1.status" ] || kill -KILL "-$(cat "$1.group")" 2>/dev/null || :
}

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The trial: tph-trial goes the way of a program that registers a piece of a BAR, as far as it gets.
# shellcheck disable=SC2154 # variables of tph-doctor, and results that functions set

# trial_run: leaves its lines in $DOCTOR_WORK/trial, or sets $no_trial to the reason for which it did not run.
trial_run()
{
	: >"$DOCTOR_WORK/trial"
	if [ -n "$no_trial" ]; then
		return
	fi
	if ! command -v tph-trial >/dev/null; then
		no_trial="the program tph-trial is missing"
		return
	fi
	# Commands of its driver would hang for minutes.
	if [ -n "$hca_bdf" ] && config "$hca_bdf" COMMAND && [ $((value & 4)) -eq 0 ]; then
		no_trial="$hca_bdf is no bus master"
		return
	fi
	set -- --length "$length"
	[ -z "$hca" ] || [ ! -e "$IB/$hca" ] || set -- "$@" --hca "$hca"
	[ -z "$bdf" ] || [ "${bar_size:-0}" -eq 0 ] ||
		set -- "$@" --bdf "$bdf" --bar "$bar" --offset "$offset" --hint "$hint"
	if [ $# -eq 2 ]; then
		no_trial="there is nothing to try it with"
		return
	fi
	trial_status=0
	timeout --foreground -k 5 60 tph-trial "$@" >"$DOCTOR_WORK/trial" 2>"$DOCTOR_WORK/trial.err" || trial_status=$?
	[ $trial_status -eq 0 ] || no_trial="tph-trial ended with status $trial_status: $(cat "$DOCTOR_WORK/trial.err")"
}

# trial_result STEP: sets $result and $details; returns 1 when the trial did not get there.
trial_result()
{
	while read -r trial_step result details; do
		[ "$trial_step" != "$1" ] || return 0
	done <"$DOCTOR_WORK/trial"
	return 1
}

# trial_says STEP: the same; without a result, the check is not made.
trial_says()
{
	trial_result "$1" && return
	if [ -n "$no_trial" ]; then
		not_made "$no_trial"
	else
		not_made "$(awk '$2 != "ok" { print "step " $1 " of the trial failed, " $2; found = 1; exit }
			END { if (!found) print "nothing to try it with" }' "$DOCTOR_WORK/trial")"
	fi
	return 1
}

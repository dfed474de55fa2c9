# SPDX-License-Identifier: GPL-2.0-only
# Reads KTAP, also with subtests, and appends a line "pass|fail|skip NAME" per innermost result to
# the file `cases`. Variables: cases, name (of the program), status (its exit status). What is wrong
# beyond the results themselves is a failed case, too, and is printed. Exit status 1 if any failed.

function add(verdict, what)
{
	print verdict, what >>cases
	count[verdict]++
}

function wrong(what)
{
	print "FAILED: " name ": " what
	add("fail", name ": " what)
}

# The results of one level are complete: do they keep its plan? KUnit plans no parameters.
function close_level(level, what)
{
	if (!(level in planned)) {
		if (level == 0)
			wrong("no plan")
	} else if (planned[level] != results[level]) {
		wrong(what results[level] + 0 " of " planned[level] " results")
	}
	delete planned[level]
	delete results[level]
}

{
	sub(/\r$/, "")
	match($0, /^ */)
	level = int(RLENGTH / 4)
	line = substr($0, RLENGTH + 1)
}

line ~ /^# Subtest: / {
	subtest[level] = substr(line, 12)
}

line ~ /^1\.\.[0-9]+/ {
	planned[level] = substr(line, 4) + 0
	if (planned[level] == 0 && sub(/^.*# SKIP/, "# SKIP", line))
		add("skip", name " " line)
	next
}

line ~ /^(not )?ok( |$)/ {
	bad = line ~ /^not /
	sub(/^(not )?ok *[0-9]* *(- *)?/, "", line)
	results[level]++
	for (i = level; i > 0; i--)
		line = subtest[i] "." line
	if ((level + 1) in results || (level + 1) in planned) {
		# The sum of a subtest: counted already, unless it fails for a cause of its own.
		failed_before = count["fail"]
		close_level(level + 1, line ": ")
		if (bad && !failed[level + 1] && count["fail"] == failed_before)
			add("fail", line)
		failed[level] += failed[level + 1] || bad
		failed[level + 1] = 0
	} else if (bad) {
		add("fail", line)
		failed[level]++
	} else {
		add(line ~ /# *(SKIP|skip|XFAIL|TODO)/ ? "skip" : "pass", line)
	}
}

END {
	close_level(0, "")
	if (status == 124 || status == 137)
		wrong("ran out of time")
	if (count["fail"] == 0) {
		if (status == 4 ? count["pass"] > 0 : status != 0)
			wrong("exit status " status ", but no result failed")
		else if (count["pass"] + count["skip"] == 0)
			wrong("no results")
	}
	close(cases)
	exit count["fail"] > 0
}

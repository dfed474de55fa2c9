# SPDX-License-Identifier: GPL-2.0-only
# What a shell offers for the last word of a line, each as WORD TAB WHAT IT IS. A word that ends with @file or
# @directory stands for all files or directories.
#     awk -f table.awk -f complete.awk -- TOP WORD... LAST

function offer(word, text) {
	if (index(word, last) == 1 || word ~ /^@/)
		print word "\t" text
}

# values NAME PREFIX: of an option or an argument
function values(name, prefix,    word, count, i) {
	if (kind(name) == "one") {
		count = kind_words(name, word)
		for (i = 1; i <= count; i++)
			offer(prefix word[i], field[name, "metavar"])
		if (field[name, "below"] != "" && index(last, "/"))
			tests()
	} else if (name == "--device")
		devices(prefix)
	else if (kind(name) ~ /^(file|output)$/)
		offer("@file", field[name, "metavar"])
	else if (kind(name) == "run")
		runs()
	else if (kind(name) == "directory" || field[name, "metavar"] == "[DIR]")
		offer("@directory", field[name, "metavar"])
}

# tests: those of the suite before the /
function tests(    line, suite, command) {
	suite = last
	sub(/\/.*/, "", suite)
	if (suite !~ /^[a-z-]+$/)
		return
	command = "ls '" TOP "/tests/" suite "' 2>/dev/null"
	while ((command | getline line) > 0)
		if (line ~ /^[0-9]/)
			offer(suite "/" line, "test")
	close(command)
}

# runs: what is kept
function runs(    line, command) {
	command = "ls '" CACHE "/runs' 2>/dev/null"
	while ((command | getline line) > 0)
		if (sub(/\.json$/, "", line))
			offer(line, "kept run")
	close(command)
	offer("@file", "a document of --json")
}

# devices: lines of testbed/devices, as --device takes them
function devices(prefix,    line) {
	while ((getline line <(TOP "/testbed/devices")) > 0)
		if (line !~ /^(#|$)/) {
			gsub(/ /, ",", line)
			offer(prefix line, "device")
		}
	close(TOP "/testbed/devices")
}

BEGIN {
	TOP = ARGV[1]
	CACHE = ENVIRON["TPH_CACHE"]
	last = ARGV[ARGC - 1]
	# options before the command
	for (i = 2; i < ARGC - 1 && ARGV[i] ~ /^-./; i++)
		;
	if (i >= ARGC - 1) {
		count = split(list("@commands"), word, " ")
		for (i = 1; i <= count; i++) {
			table(word[i])
			offer(word[i], field["", "summary"])
		}
		if (last ~ /^-/) {
			offer("--help", "all commands")
			offer("--version", "the version")
			offer("--quiet", "say nothing of the progress")
		}
		exit
	}
	if (!is_command(ARGV[i]) || !table(ARGV[i]))
		exit
	arguments = 0
	rest = argument_count && kind("ARGUMENT" argument_count) == "rest"
	for (i++; i < ARGC - 1; i++) {
		waiting = ""
		if (ARGV[i] == "--" || rest && ARGV[i] !~ /^-/)
			exit
		if (ARGV[i] !~ /^-/)
			arguments++
		else if (ARGV[i] ~ /^--[^=]+$/ && (ARGV[i], "metavar") in field && kind(ARGV[i]) != "flag") {
			waiting = ARGV[i]
			i++
		}
	}
	if (waiting != "" && i == ARGC) {
		values(waiting, "")
		exit
	}
	if (last ~ /^--[^=]+=/) {
		name = substr(last, 1, index(last, "=") - 1)
		if ((name, "metavar") in field)
			values(name, name "=")
		exit
	}
	if (last ~ /^-/)
		for (i = 1; i <= option_count; i++)
			offer(options[i], field[options[i], "text"])
	else if (argument_count)
		values("ARGUMENT" (arguments < argument_count ? arguments + 1 : argument_count), "")
}

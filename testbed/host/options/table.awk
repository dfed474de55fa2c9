# SPDX-License-Identifier: GPL-2.0-only
# Reads the tables of commands, testbed/commands/NAME.options, for parse.awk, help.awk, manual.awk and complete.awk.
# A host need not have more than awk for them. README.md says what is in a table.

# words of a list that the tree has elsewhere
function list(name,    line, words, part) {
	words = ""
	if (name == "@linux") {
		while ((getline line <(TOP "/testbed/sources.list")) > 0)
			if (match(line, /^linux-[0-9.]+ /))
				words = words " " substr(line, 7, RLENGTH - 7)
		close(TOP "/testbed/sources.list")
	} else if (name == "@suites") {
		while ((getline line <(TOP "/tests/suites")) > 0)
			if (line !~ /^#/ && split(line, part, " "))
				words = words " " part[1]
		close(TOP "/tests/suites")
	} else if (name == "@fuzz") {
		while ((getline line <(TOP "/fuzz/CMakeLists.txt")) > 0)
			if (match(line, /^fuzz_target\([a-z]+/))
				words = words " " substr(line, 13, RLENGTH - 12)
		close(TOP "/fuzz/CMakeLists.txt")
	} else if (name == "@commands") {
		while ((getline line <(TOP "/testbed/commands/index")) > 0)
			if (line !~ /^#/ && sub(/^[^:]*:/, "", line))
				words = words line
		close(TOP "/testbed/commands/index")
	} else if (name == "@topologies") {
		line = "ls '" TOP "/testbed/topologies'"
		while ((line | getline part[1]) > 0)
			if (part[1] ~ /^[a-z0-9-]+$/)
				words = words " " part[1]
		close(line)
	} else
		words = " " name
	return substr(words, 2)
}

function is_command(name) {
	return index(" " list("@commands") " ", " " name " ") > 0
}

# field[NAME, KEY]: of the command (NAME ""), of an option (--...) or of an argument (ARGUMENT1, ...)
function table_file(file,    line, key, name, found) {
	name = ""
	while ((getline line <file) > 0) {
		found = 1
		if (line ~ /^#/ || line == "")
			continue
		if (sub(/^[ \t]+/, " ", line)) {
			field[name, key] = field[name, key] line
			continue
		}
		key = line
		sub(/ .*/, "", key)
		if (!sub(/^[^ ]+ /, "", line))
			line = ""
		if (key == "include") {
			table_file(TOP "/testbed/host/options/" line)
			name = ""
		} else if (key == "option") {
			name = line
			sub(/ .*/, "", name)
			if (!((name, "metavar") in field))
				options[++option_count] = name
			field[name, "metavar"] = sub(/^[^ ]+ /, "", line) ? line : ""
		} else if (key == "argument") {
			name = "ARGUMENT" ++argument_count
			field[name, "metavar"] = line
		} else if (key in paragraphs && field[name, key] != "")
			field[name, key] = field[name, key] "\n" line
		else
			field[name, key] = line
	}
	close(file)
	return found
}

# common, common_count: the options of all commands
function common_options(    i) {
	table_file(TOP "/testbed/host/options/common")
	common_count = option_count
	for (i = 1; i <= common_count; i++)
		common[i] = options[i]
}

# table COMMAND: reads its table; false when it has none
function table(command) {
	split("", field)
	split("", options)
	option_count = argument_count = 0
	split("", paragraphs)
	paragraphs["example"] = paragraphs["detail"] = 1
	if (!table_file(TOP "/testbed/commands/" command ".options"))
		return 0
	table_file(TOP "/testbed/host/options/common")
	return 1
}

# kind NAME: flag, number, decimal, memory, one, text, file, directory, output, rest
function kind(name,    words) {
	if (!((name, "kind") in field))
		return field[name, "metavar"] == "" ? "flag" : "text"
	split(field[name, "kind"], words, " ")
	return words[1]
}

# kind_words NAME, into WORD: what follows the kind
function kind_words(name, word,    count, raw, i, j, part, n) {
	split("", word)
	n = split(field[name, "kind"], raw, " ")
	for (i = 2; i <= n; i++) {
		j = split(list(raw[i]), part, " ")
		while (j > 0)
			word[count + j] = part[j--]
		count += split(list(raw[i]), part, " ")
	}
	return count + 0
}

# allowed NAME: what may be given, for people
function allowed(name,    word, count, i, text) {
	count = kind_words(name, word)
	if (kind(name) == "number")
		return word[1] ".." word[2]
	if (kind(name) == "decimal")
		return "a number such as " word[1]
	if (kind(name) == "memory")
		return "a size such as 512M or 2G, " word[1] " to " word[2]
	if (kind(name) == "file")
		return "a file that is there"
	if (kind(name) == "directory")
		return "a directory that is there"
	if (kind(name) == "output")
		return "a file to be written" (name == "--json" ? ", or - for standard output" : "")
	if (kind(name) != "one")
		return field[name, "metavar"]
	for (i = 1; i <= count; i++)
		text = text (i == 1 ? "" : i == count ? " or " : ", ") word[i]
	return text
}

# described NAME: its text, with what is allowed and the default
function described(name,    text) {
	text = field[name, "text"]
	if (kind(name) ~ /^(one|number|memory)$/)
		text = text ": " allowed(name)
	if (field[name, "repeat"] != "")
		text = text "; may be repeated"
	if (field[name, "default"] != "")
		text = text " (default" (name ~ /^ARG/ ? ": all" : " " field[name, "default"]) ")"
	else if (field[name, "otherwise"] != "")
		text = text " (default: " field[name, "otherwise"] ")"
	return text
}

# usage COMMAND: as it is typed
function usage(command,    text, i) {
	text = "./tph " command (option_count > common_count ? " [OPTION]..." : "")
	for (i = 1; i <= argument_count; i++)
		text = text (kind("ARGUMENT" i) == "rest" ? " [--] " : " ") field["ARGUMENT" i, "metavar"]
	return text
}

# SPDX-License-Identifier: GPL-2.0-only
# The words behind ./tph, checked against the table of their command, as assignments for the shell:
#     awk -f table.awk -f parse.awk -- TOP WORD...
# --st-ext N becomes OPT_ST_EXT; the arguments become $1, $2, ... What is wrong becomes usage_error TEXT.

function quoted(text) {
	gsub(/'/, "'\\''", text)
	return "'" text "'"
}

function variable(name) {
	name = toupper(substr(name, 3))
	gsub(/-/, "_", name)
	return "OPT_" name
}

function refuse(text) {
	if (refusal == "")
		refusal = text
}

# hexadecimal TEXT: its value, or -1
function hexadecimal(text,    i, digit, value) {
	if (text == "")
		return -1
	for (i = 1; i <= length(text); i++) {
		digit = index("0123456789abcdef", tolower(substr(text, i, 1)))
		if (!digit)
			return -1
		value = value * 16 + digit - 1
	}
	return value
}

function number(text) {
	if (text ~ /^0[xX]/)
		return length(text) > 15 ? -1 : hexadecimal(substr(text, 3))
	return text ~ /^[0-9]+$/ && length(text) <= 15 ? text + 0 : -1
}

# mebibytes TEXT: of a size such as 512M
function mebibytes(text) {
	if (text !~ /^[1-9][0-9]?[0-9]?[0-9]?[0-9]?[0-9]?[MG]$/)
		return -1
	return (text + 0) * (text ~ /G$/ ? 1024 : 1)
}

# value NAME WHAT TEXT: TEXT as the shell gets it; a text that is not allowed is refused. WHAT names it in messages.
function value(name, what, text,    word, count, i, n) {
	count = kind_words(name, word)
	if (kind(name) == "number") {
		n = number(text)
		if (n >= word[1] && n <= word[2])
			return sprintf("%.0f", n)
	} else if (kind(name) == "decimal") {
		if (text ~ /^[0-9]+(\.[0-9]+)?$/ && text + 0 >= word[2] && text + 0 <= word[3])
			return text
	} else if (kind(name) == "memory") {
		n = mebibytes(text)
		if (n >= mebibytes(word[1]) && n <= mebibytes(word[2]))
			return text
	} else if (kind(name) == "one") {
		for (i = 1; i <= count; i++)
			if (text == word[i] || (field[name, "below"] != "" && index(text, word[i] "/") == 1))
				return text
	} else {
		if (kind(name) ~ /^(file|directory|output)$/)
			checks = checks "check_" kind(name) " " quoted(what) " " quoted(text) "\n"
		return text
	}
	refuse(what " takes " allowed(name) ", not " quoted_for_people(text))
	return ""
}

function quoted_for_people(text) {
	return "'" text "'"
}

function option(name, text) {
	if (!((name, "metavar") in field)) {
		refuse("no option '" name "'; there are " known())
		return
	}
	text = value(name, name, text)
	if (field[name, "repeat"] != "" && (name in given))
		text = given[name] "\n" text
	given[name] = text
}

# known: the command's options, in a line
function known(    i, text) {
	for (i = 1; i <= option_count; i++)
		text = text (i == 1 ? "" : i == option_count ? " and " : ", ") options[i]
	return text
}

# long_name WORD: of -h and the like
function long_name(word,    i) {
	for (i = 1; i <= option_count; i++)
		if (field[options[i], "short"] == word)
			return options[i]
	return word
}

function argument(text,    name, last) {
	last = argument_count
	name = "ARGUMENT" (arguments < last ? arguments + 1 : last)
	if (last == 0)
		refuse("takes no argument, not '" text "'" (field["", "no-argument"] != "" ? "; " field["", "no-argument"] : ""))
	else if (arguments >= last && field[name, "metavar"] !~ /\.\.\.\]?$/)
		refuse("takes " (last == 1 ? "one argument" : last " arguments") " at most (" usage(command) "), so not '" text "'")
	else {
		# shown as it is typed: SUITE, not [SUITE]...
		last = field[name, "metavar"]
		sub(/^\[/, "", last)
		sub(/[][ .].*/, "", last)
		text = value(name, last, text)
		words = words " " quoted(text)
	}
	arguments++
}

# before the command: options that any command has
function global(i,    word) {
	for (; i < ARGC && ARGV[i] ~ /^-./; i++) {
		word = ARGV[i]
		if (word == "-h" || word == "--help")
			want_help = 1
		else if (word == "-V" || word == "--version")
			want_version = 1
		else if (word == "-q" || word == "--quiet")
			quiet = 1
		else
			refuse("no option '" word "' before the command; there are --help, --version and --quiet")
	}
	return i
}

function finish(text) {
	printf "%s", text
	exit
}

BEGIN {
	TOP = ARGV[1]
	i = global(2)
	if (want_version)
		finish("show_version; exit 0\n")
	if (i == ARGC || refusal != "")
		finish(refusal != "" ? "usage_error " quoted(refusal) "\n" : "show_help; exit 0\n")
	command = ARGV[i++]
	if (!is_command(command)) {
		text = list("@commands")
		gsub(/ /, ", ", text)
		finish("usage_error " quoted("no command '" command "'; there are " text) "\n")
	}
	if (!table(command))
		finish("die " quoted("no table testbed/commands/" command ".options") "\n")
	if (quiet)
		given["--quiet"] = 1
	rest = argument_count && kind("ARGUMENT" argument_count) == "rest"
	for (; i < ARGC; i++) {
		word = ARGV[i]
		if (ended || word !~ /^-./) {
			argument(word)
			ended = ended || rest
			continue
		}
		if (word == "--") {
			ended = 1
			continue
		}
		name = word
		has_value = word ~ /^--[^=]+=/
		if (has_value)
			sub(/=.*/, "", name)
		name = long_name(name)
		if (!((name, "metavar") in field)) {
			option(name)
		} else if (kind(name) == "flag") {
			if (has_value)
				refuse(name " takes no value, so not '" substr(word, length(name) + 2) "'")
			given[name] = 1
		} else {
			if (has_value)
				text = substr(word, length(name) + 2)
			else
				text = i + 1 < ARGC && ARGV[i + 1] !~ /^--/ ? ARGV[++i] : ""
			if (text == "")
				refuse(name " needs a value: " allowed(name))
			else
				option(name, text)
		}
	}
	if (given["--help"] || want_help)
		finish("show_help " command "; exit 0\n")
	least = 0
	for (i = 1; i <= argument_count; i++)
		if (field["ARGUMENT" i, "metavar"] !~ /^\[/)
			least++
	if (arguments < least)
		refuse("needs " field["ARGUMENT" (arguments + 1), "metavar"] ": " field["ARGUMENT" (arguments + 1), "text"])
	print "TPH_COMMAND=" command "; TPH_NAME='tph " command "'"
	if (refusal != "")
		finish("usage_error " quoted(refusal) "\n")
	for (i = 1; i <= option_count; i++) {
		name = options[i]
		print variable(name) "=" quoted(name in given ? given[name] : field[name, "default"])
	}
	if (argument_count && !arguments && field["ARGUMENT1", "default"] != "") {
		count = split(field["ARGUMENT1", "default"], word_list, " ")
		for (i = 1; i <= count; i++)
			words = words " " quoted(word_list[i])
	}
	print "set --" words
	printf "%s", checks
}

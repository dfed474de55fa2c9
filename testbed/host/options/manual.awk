# SPDX-License-Identifier: GPL-2.0-only
# The manual page tph.1, of all tables. What is not in a table is in manual.roff.
#     awk -f table.awk -f manual.awk -- TOP

function roff(text) {
	gsub(/\\/, "\\\\", text)
	gsub(/-/, "\\-", text)
	gsub(/~/, "\\(ti", text)
	gsub(/\^/, "\\(ha", text)
	if (text ~ /^[.']/)
		text = "\\\&" text
	return text
}

# paragraph TEXT: in lines of 110 columns
function paragraph(text,    word, count, i, line) {
	count = split(text, word, " ")
	line = ""
	for (i = 1; i <= count; i++) {
		if (line != "" && length(line) + length(word[i]) > 100) {
			print roff(line)
			line = ""
		}
		line = line (line == "" ? "" : " ") word[i]
	}
	print roff(line)
}

function option_text(name,    value) {
	print ".TP"
	value = field[name, "metavar"]
	print (value == "" ? ".B " : ".BI ") (field[name, "short"] != "" ? "\"" roff(field[name, "short"] ", " name) "\"" : roff(name)) \
		(value == "" ? "" : " \"\\~" roff(value) "\"")
	paragraph(described(name) ".")
}

# command NAME: its subsection; options that every command has are said once.
function command(name,    i, part, count) {
	table(name)
	print ".SS " roff(name)
	print ".B tph " roff(name)
	if (option_count > common_count)
		print ".RI [ OPTION ]\\|.\\|.\\|."
	for (i = 1; i <= argument_count; i++)
		print (kind("ARGUMENT" i) == "rest" ? ".RB [ \\-\\- ]\n" : "") ".I " roff(field["ARGUMENT" i, "metavar"])
	print ".PP"
	paragraph(toupper(substr(field["", "summary"], 1, 1)) substr(field["", "summary"], 2) ".")
	count = split(field["", "detail"], part, "\n")
	for (i = 1; i <= count; i++) {
		print ".PP"
		paragraph(part[i])
	}
	for (i = 1; i <= argument_count; i++) {
		print ".TP"
		print ".I " roff(field["ARGUMENT" i, "metavar"])
		paragraph(described("ARGUMENT" i) ".")
	}
	for (i = 1; i <= option_count - common_count; i++)
		option_text(options[i])
	count = split(field["", "example"], part, "\n")
	if (count)
		print ".PP\nExamples:\n.PP\n.nf"
	for (i = 1; i <= count; i++)
		print roff("    " part[i])
	if (count)
		print ".fi"
}

BEGIN {
	TOP = ARGV[1]
	common_options()
	while ((getline line <(TOP "/testbed/host/options/manual.roff")) > 0) {
		if (line == "@commands") {
			count = split(list("@commands"), commands, " ")
			for (i = 1; i <= count; i++)
				command(commands[i])
		} else if (line == "@common") {
			for (i = 1; i <= common_count; i++)
				option_text(common[i])
		} else if (line == "@environment") {
			while ((getline line <(TOP "/testbed/host/options/environment")) > 0)
				if (line !~ /^#/ && match(line, /: /)) {
					print ".TP\n.B " roff(substr(line, 1, RSTART - 1))
					paragraph(substr(line, RSTART + 2) ".")
				}
		} else
			print line
	}
}

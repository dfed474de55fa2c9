# SPDX-License-Identifier: GPL-2.0-only
# What a command and its options are, for a terminal:
#     awk -f table.awk -f help.awk -- TOP [COMMAND]

# wrapped TEXT INDENT FIRST: in lines of 100 columns, of which the first has FIRST before the text.
function wrapped(text, indent, first,    word, count, i, line, blank) {
	blank = sprintf("%" indent "s", "")
	line = indent == 0 ? first : sprintf("%-" indent "s", first)
	if (length(first) >= indent && first != "") {
		print first
		line = blank
	}
	count = split(text, word, " ")
	for (i = 1; i <= count; i++) {
		if (length(line) + length(word[i]) > 100 && line != blank) {
			sub(/ +$/, "", line)
			print line
			line = blank
		}
		line = line word[i] " "
	}
	sub(/ +$/, "", line)
	print line
}

function title(name) {
	return (field[name, "short"] != "" ? field[name, "short"] ", " : "") name \
		(field[name, "metavar"] != "" ? " " field[name, "metavar"] : "")
}

function lines_of(text, part) {
	return split(text, part, "\n")
}

function everything(    line, part, count, i, word) {
	print "rdma-tph: PCIe steering tags for peer-to-peer RDMA, from vfio to the wire\n"
	print "usage: ./tph COMMAND [OPTION]... [ARGUMENT]..."
	while ((getline line <(TOP "/testbed/commands/index")) > 0) {
		if (line ~ /^#/ || !match(line, /:/))
			continue
		print "\n" toupper(substr(line, 1, 1)) substr(line, 2, RSTART - 1)
		count = split(substr(line, RSTART + 1), word, " ")
		for (i = 1; i <= count; i++) {
			table(word[i])
			wrapped(field["", "summary"], 16, "  " word[i])
		}
	}
	print "\n'./tph help COMMAND' or './tph COMMAND --help' has a command's options; 'man tph' has all of them.\n"
	print "With every command:"
	for (i = 1; i <= common_count; i++)
		wrapped(described(common[i]), 24, "  " title(common[i]))
	wrapped("print the version", 24, "  -V, --version")
	print "\nEnvironment:"
	while ((getline line <(TOP "/testbed/host/options/environment")) > 0)
		if (line !~ /^#/ && match(line, /: /))
			wrapped(substr(line, RSTART + 2), 24, "  " substr(line, 1, RSTART - 1))
}

function one(command,    part, count, i, name) {
	wrapped(usage(command), 7, "usage:")
	print ""
	wrapped(toupper(substr(field["", "summary"], 1, 1)) substr(field["", "summary"], 2) ".", 0, "")
	count = lines_of(field["", "detail"], part)
	for (i = 1; i <= count; i++) {
		print ""
		wrapped(part[i], 0, "")
	}
	if (argument_count) {
		print "\nArguments:"
		for (i = 1; i <= argument_count; i++)
			wrapped(described("ARGUMENT" i), 24, "  " field["ARGUMENT" i, "metavar"])
	}
	print "\nOptions:"
	for (i = 1; i <= option_count; i++)
		wrapped(described(options[i]), 24, "  " title(options[i]))
	count = lines_of(field["", "example"], part)
	if (count)
		print "\nExamples:"
	for (i = 1; i <= count; i++)
		print "  " part[i]
}

BEGIN {
	TOP = ARGV[1]
	common_options()
	if (ARGC == 2)
		everything()
	else {
		table(ARGV[2])
		one(ARGV[2])
	}
}

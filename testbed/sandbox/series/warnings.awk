# SPDX-License-Identifier: GPL-2.0-only
# Warnings in a compiler's log, one per line without their line numbers, each place once.
/^Warning: / || /: (warning|error): / {
	sub(/^Warning: /, "")
	sub(/^(\.\.\/|\/run\/build\/)src\//, "")
	sub(/^\.\.\//, "")
	if (seen[$0]++)
		next
	gsub(/:[0-9]+/, "")
	print
}

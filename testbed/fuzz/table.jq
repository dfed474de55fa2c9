# SPDX-License-Identifier: GPL-2.0-only
# The results of ./tph fuzz for people: a line for each target, then what was found.
def right($n): tostring | (" " * ($n - length)) + .;
def left($n): . + (" " * ($n - length));
("target" | left(10)) + ("executions" | right(12)) + ("seconds" | right(10)) + ("per second" | right(12)) + "  finding",
(.targets[] | (.target | left(10)) + (.executions | right(12)) + (.seconds | right(10))
  + (if .seconds > 0 then .executions / .seconds | floor else 0 end | right(12))
  + "  " + (if .finding then .finding.why else "-" end)),
(.targets[] | select(.finding) | "\(.target): input \(.finding.input)")

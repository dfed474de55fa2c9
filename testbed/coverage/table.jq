# SPDX-License-Identifier: GPL-2.0-only
# coverage.json for people.
def left($n): . + " " * ($n - length);
def right($n): tostring | " " * ($n - length) + .;
def row($name):
  ($name | left(58)) + ("\(.lines_run)/\(.lines)" | right(9)) + ("\(.lines_percent)%" | right(8))
  + ("\(.branches_taken)/\(.branches)" | right(10)) + ("\(.branches_percent)%" | right(8));
def place: "\(.file):\(.line): \(.function)(): \(.text)";
([.files[] | row(.file)] + [.total | row("all")])[],
(.not_run[] | "not run: \(place)"),
(.not_taken[] | "a branch not taken: \(place)"),
(.unreachable[] | "unreachable: \(place) (\(.reason))"),
(.wrong_exceptions[] | "wrong in kernel/coverage-exceptions: \(.file): \(.function)(): \(.text)")

# SPDX-License-Identifier: GPL-2.0-only
# The report for a terminal: a line per suite, its devices side by side; then failures and causes.
def pad($n): tostring | . + (" " * ([$n - length, 0] | max));
def lpad($n): tostring | (" " * ([$n - length, 0] | max)) + .;
def skips: [.skipped[].count] | add // 0;
def distinct: reduce .[] as $one ([]; if index($one) then . else . + [$one] end);
.suites as $suites
| ([$suites[].device] | distinct) as $devices
| ([$suites[].name] | distinct) as $names
| "Linux \(.kernel); passed, failed, skipped:",
  (("" | pad(18)) + ([$devices[] | lpad(24)] | join(""))),
  ($names[] as $name | ($name | pad(18)) + ([$devices[] as $device
     | [$suites[] | select(.name == $name and .device == $device)]
     | if . == [] then "" | lpad(24)
       else .[0] | (.passed | lpad(10)) + (.failed | lpad(7)) + (skips | lpad(7)) end] | join(""))),
  ($suites[] | . as $s | .failures[] | "failed: \($s.name) on \($s.device): \(.case): \(.cause)"),
  ($suites[] | . as $s | .skipped[] | "skipped: \($s.name) on \($s.device): \(.count) x \(.cause)")

# SPDX-License-Identifier: GPL-2.0-only
# Lines added by the series, with what gcov counted in all boots together. A branch is one way that a
# jump can go; inline functions are counted once, whichever object they were compiled into.

def percent($part; $all): if $all == 0 then 100 else ($part * 1000 / $all | floor) / 10 end;

def trimmed: gsub("^[ \t]+|[ \t]+$"; "");

# kernel/coverage-exceptions
def unreachable:
  [$exceptions | split("\n")[] | select(test("^[^#]")) | split("\t")
   | {file: .[0], function: .[1], text: .[2], reason: .[3]}];

def same($other):
  .file == $other.file and .function == $other.function and .text == $other.text;

# [{file, line, text}]
def added_lines:
  [$added | split("\n")[] | select(length > 0) | split("\t")
   | {file: .[0], line: (.[1] | tonumber), text: (.[2:] | join("\t") | trimmed)}];

# What the macros of tracepoints expand to has branches that nobody wrote.
def is_tracepoint: .text | test("^(TRACE_EVENT|DECLARE_EVENT_CLASS|DEFINE_EVENT)\\(");

# file -> line -> {count, branches}, from every object and boot, for the files in the input
def counted:
  reduce ($gcov[].files[] | (.file | sub("^.*/src/"; "")) as $file | {$file, line: .lines[]}) as $l
    (.;
     if .[$l.file] then
       (.[$l.file]["\($l.line.line_number)"] |=
          (.count += $l.line.count
           | .function = $l.line.function_name
           | reduce ($l.line.branches // [] | to_entries[]) as $b
               (.; .branches["\($l.line.function_name) \($b.key)"] += $b.value.count)))
     else . end);

def sum_up:
  {lines: length, lines_run: (map(select(.count > 0)) | length),
   branches: (map(.branches | length) | add // 0),
   branches_taken: (map(.branches | map(select(. > 0)) | length) | add // 0)}
  | . + {lines_percent: percent(.lines_run; .lines),
         branches_percent: percent(.branches_taken; .branches)};

added_lines as $added_lines
| (reduce $added_lines[].file as $file ({}; .[$file] = {}) | counted) as $counted
| unreachable as $unreachable
| [$added_lines[] | . as $l
   | $counted[.file]["\(.line)"]
   | select(. != null)
   | $l + {function, count, branches: (if $l | is_tracepoint then [] else [.branches // {} | .[]] end)}
   | . + {reason: (. as $l | first($unreachable[] | select(same($l))) // {}).reason}]
  as $lines
| ($lines | map(select(.reason == null or .count > 0))) as $judged
| {total: ($judged | sum_up),
   files: ($judged | group_by(.file) | map({file: .[0].file} + sum_up)),
   not_run: [$judged[] | select(.count == 0) | {file, line, function, text}],
   not_taken: [$judged[] | select(.count > 0) | select(.branches | any(. == 0))
               | {file, line, function, text, branches}],
   unreachable: [$lines[] | select(.reason != null and .count == 0) | {file, line, function, text, reason}],
   # an exception for a line that is gone, or that runs after all
   wrong_exceptions: [$unreachable[] | . as $u
                      | select([$lines[] | select(same($u))]
                               | length == 0 or any(.count > 0))]}

# SPDX-License-Identifier: GPL-2.0-only
# Lines of results (suite or suite@kernel, verdict, test, reason; tab-separated) as the report, suites in
# the order in which they ran. $kernels: lines 'variant release'.
[inputs | split("\t") | {suite: .[0], result: .[1], test: .[2], reason: .[3]}] as $all
| def count($result): map(select(.result == $result)) | length;
  def counts: {passed: count("pass"), failed: count("fail"), skipped: count("skip")};
  {kernels: [$kernels | splits("\n") | select(. != "") | split(" ") | {variant: .[0], release: .[1]}]}
  + ($all | counts)
  + {suites: (reduce $all[].suite as $suite ([]; if any(.[]; . == $suite) then . else . + [$suite] end)
       | map(. as $suite
           | [$all[] | select(.suite == $suite)] as $its
           | ($suite | split("@")) as $at
           | {name: $at[0], kernel: ($at[1] // $plain)}
             + ($its | counts)
             + {tests: [$its[] | {test, result} + (if .reason == "" then {} else {reason} end)]}))}

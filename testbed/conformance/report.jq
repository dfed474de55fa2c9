# SPDX-License-Identifier: GPL-2.0-only
# Lines of verdicts (judge, device, verdict, case, cause; tab-separated) as the report, in the order in
# which judges and devices first appear. $kernel: its release; $qemu: the version.
[inputs | split("\t") | {suite: .[0], device: .[1], verdict: .[2], case: .[3], cause: .[4]}] as $all
| {kernel: $kernel, qemu: $qemu,
   suites: (reduce $all[] as $one ([]; if any(.[]; . == [$one.suite, $one.device]) then .
                                       else . + [[$one.suite, $one.device]] end)
     | map(. as [$suite, $device]
         | [$all[] | select(.suite == $suite and .device == $device)] as $its
         | {name: $suite, device: $device,
            passed: ([$its[] | select(.verdict == "pass")] | length),
            failed: ([$its[] | select(.verdict == "fail")] | length),
            skipped: ([$its[] | select(.verdict == "skip")] | group_by(.cause)
                      | map({cause: .[0].cause, count: length}) | sort_by(-.count)),
            failures: [$its[] | select(.verdict == "fail") | {case, cause}],
            passes: [$its[] | select(.verdict == "pass") | .case]}))}

# SPDX-License-Identifier: GPL-2.0
# Lines of what the boots measured as the report of ./tph cost. $pairs: {boot, kernel, kind, register,
# deregister}; $many, $perftest: as testbed/cost/guest.sh leaves them. Times in nanoseconds.
def quantile($q): sort | ((length - 1) * $q) as $at | ($at | floor) as $low
  | .[$low] + (.[[$low + 1, length - 1] | min] - .[$low]) * ($at - $low);
def spread: {median: quantile(0.5), q1: quantile(0.25), q3: quantile(0.75), runs: length};
def ratio($a; $b): if $a and $b and $b > 0 then ($a / $b * 1000 | round / 1000) else null end;

($pairs | group_by([.kernel, .kind])
 | map({kernel: .[0].kernel, kind: .[0].kind, boots: (map(.boot) | unique | length),
        register: (map(.register) | spread), deregister: (map(.deregister) | spread),
        boot_medians: (group_by(.boot) | map(map(.register) | quantile(0.5)))})) as $registration
| ($perftest | group_by([.size, .hint])
   | map({size: .[0].size, hint: .[0].hint, MBps: (map(.MBps) | spread),
          messages_per_s: (map(.messages_per_s) | spread)})) as $traffic
| def pair($kernel; $kind): $registration[] | select(.kernel == $kernel and .kind == $kind);
  # Both of one boot, a median each; then the median over the boots.
  def within($kind; $base; $what): [$pairs | map(select(.kernel == "patched")) | group_by(.boot)[]
      | ratio((map(select(.kind == $kind)[$what]) | if length > 0 then quantile(0.5) else null end);
              (map(select(.kind == $base)[$what]) | if length > 0 then quantile(0.5) else null end))
      | select(.)] | if length > 0 then quantile(0.5) else null end;
  def flow($size; $hint; $what): first($traffic[] | select(.size == $size and .hint == $hint))[$what].median;
  {kernel: $release, runs: $runs,
   registration: $registration,
   many: ($many | group_by([.device, .tags, .count])
     | map(.[0] + {register: (map(.register) | spread), deregister: (map(.deregister) | spread)})
     | sort_by([.device, .count, .tags])),
   traffic: $traffic,
   ratios: {
     "registration: hint, auto / no hint": within("BAR, hint, auto"; "BAR, no hint"; "register"),
     "registration: hint, require / no hint": within("BAR, hint, require"; "BAR, no hint"; "register"),
     "deregistration: hint, auto / no hint": within("BAR, hint, auto"; "BAR, no hint"; "deregister"),
     "registration of a BAR: patched / stock kernel":
       ratio((pair("patched"; "BAR, no hint") | .register.median); (first(pair("stock"; "BAR, no hint")) // null | .register.median?)),
     "registration of host memory: patched / stock kernel":
       ratio((pair("patched"; "host memory") | .register.median); (first(pair("stock"; "host memory")) // null | .register.median?)),
     "bandwidth, 65536 bytes: ST / no hint": ratio(flow(65536; "ST"; "MBps"); flow(65536; "none"; "MBps")),
     "message rate, 8 bytes: ST / no hint": ratio(flow(8; "ST"; "messages_per_s"); flow(8; "none"; "messages_per_s"))}}

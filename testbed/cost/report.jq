# SPDX-License-Identifier: GPL-2.0-only
# Lines of what the boots measured as the report of ./tph cost. $pairs: {boot, kernel, kind, register,
# deregister}; $many, $perftest: as testbed/cost/guest.sh leaves them. Times in nanoseconds.
def quantile($q): sort | ((length - 1) * $q) as $at | ($at | floor) as $low
  | .[$low] + (.[[$low + 1, length - 1] | min] - .[$low]) * ($at - $low);
def spread: {median: quantile(0.5), q1: quantile(0.25), q3: quantile(0.75), runs: length};
def rounded: . * 1000 | round / 1000;
# Of runs that took turns, one by one: what slows the machine down for a while is in both.
def ratio($a; $b): [range([$a, $b | length] | min) | select($b[.] > 0) | $a[.] / $b[.]]
  | if length > 0 then spread | .median |= rounded | .q1 |= rounded | .q3 |= rounded else null end;

($pairs | group_by([.kernel, .kind])
 | map({kernel: .[0].kernel, kind: .[0].kind, boots: (map(.boot) | unique | length),
        register: (map(.register) | spread), deregister: (map(.deregister) | spread),
        boot_medians: (group_by(.boot) | map(map(.register) | quantile(0.5)))})) as $registration
| ($perftest | group_by([.size, .hint])
   | map({size: .[0].size, hint: .[0].hint, MBps: (map(.MBps) | spread),
          messages_per_s: (map(.messages_per_s) | spread)})) as $traffic
| def times($kernel; $kind; $what): [$pairs[] | select(.kernel == $kernel and .kind == $kind)[$what]];
  def within($kind; $base; $what): ratio(times("patched"; $kind; $what); times("patched"; $base; $what));
  # Runs of boots that took turns.
  def between($kind; $what): ratio(times("patched"; $kind; $what); times("stock"; $kind; $what));
  def traffic($size; $what):
    def of($hint): [$perftest[] | select(.size == $size and .hint == $hint)[$what]];
    ratio(of("ST"); of("none"));
  {kernel: $release, qemu: $qemu, runs: $runs,
   registration: $registration,
   many: ($many | group_by([.device, .tags, .count])
     | map(.[0] + {register: (map(.register) | spread), deregister: (map(.deregister) | spread)})
     | sort_by([.device, .count, .tags])),
   traffic: $traffic,
   ratios: {
     "registration: tag in use / no hint": within("BAR, tag in use"; "BAR, no hint"; "register"),
     "registration: tag came back / no hint": within("BAR, tag came back"; "BAR, no hint"; "register"),
     "registration: tag came back / tag in use":
       within("BAR, tag came back"; "BAR, tag in use"; "register"),
     "registration: new tag / no hint": within("BAR, new tag"; "BAR, no hint"; "register"),
     "registration: new tag, require / no hint":
       within("BAR, new tag, require"; "BAR, no hint"; "register"),
     "deregistration: tag in use / no hint": within("BAR, tag in use"; "BAR, no hint"; "deregister"),
     "deregistration: last of a tag / no hint": within("BAR, new tag"; "BAR, no hint"; "deregister"),
     "registration of a BAR: patched / stock kernel": between("BAR, no hint"; "register"),
     "registration of host memory: patched / stock kernel": between("host memory"; "register"),
     "bandwidth, 65536 bytes: ST / no hint": traffic(65536; "MBps"),
     "message rate, 8 bytes: ST / no hint": traffic(8; "messages_per_s")}}

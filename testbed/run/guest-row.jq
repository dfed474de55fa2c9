# SPDX-License-Identifier: GPL-2.0-only
# What the guest knows of one run.
($st == null and $st_ext == null) as $none
| {target: $target, bdf: $bdf, bar: $bar, st_mode: $mode, width: $width,
   requested: {st: $st, st_ext: $st_ext, ph: (if $none then null else $ph end)},
   mkey: (if $mkey.mkey == null then null else $mkey | {tph, ph, st, st_width} end),
   window: {base: $base, end: $end},
   result: $result, errno: (if $errno == "" then null else $errno end),
   perftest: {program: "ib_write_bw", size: $size, iters: $iters, bw_avg_MBps: $bw, applied: $applied},
   completer: {counted: $counted,
               writes: ([$counts.counts[].writes] | add // 0),
               by_hint: [$counts.counts[] | select(.ph != null and .writes > 0)
                         | {ph, st, st_width, count: .writes}]},
   data_verified: $verified}

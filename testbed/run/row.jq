# SPDX-License-Identifier: GPL-2.0-only
# One run: the guest's row, the trace's summary in $tlp[0], and the verdict on $expect.
# Behind a translating IOMMU the host delivers the write, so the completer sees no hint to count.
($tlp[0] | {bar_writes, with_hint, wrong_hint, hint_elsewhere, by_hint}) as $wire
| (.completer.by_hint | map({ph, st, st_width, count})) as $completer
| (.requested | {st: .st, st_ext: .st_ext, ph: .ph}) as $requested
| (if .width == 8 then .requested.st else .requested.st_ext end) as $tag
| {target, bdf, bar, st_mode, width, requested: $requested, mkey, result, errno, perftest,
   tlp: $wire, completer: {by_hint: $completer}, data_verified,
   expected: $expect,
   as_expected:
     (if $expect == "refused" then
        .result == "refused" and .errno == "EOPNOTSUPP" and $wire.bar_writes == 0
        and $wire.hint_elsewhere == 0 and .data_verified == null
      else
        .result == "ok" and .data_verified == true and $wire.bar_writes > 0
        and $wire.wrong_hint == 0 and $wire.hint_elsewhere == 0
        and (if $expect == "hint" then
               $wire.with_hint == $wire.bar_writes and .mkey.tph
               and .mkey.st == $tag and .mkey.ph == $requested.ph
               and (.perftest.applied | [.source, .steering_tag, .st_width, .ph])
                   == ["dma-buf", $tag, .width, $requested.ph]
             else
               $wire.with_hint == 0 and (.mkey.tph | not)
               and .perftest.applied.source
                   == (if $requested.st == null and $requested.st_ext == null then null else "none" end)
             end)
        and (if .completer.counted and $iommu != "translated" then
               $completer == $wire.by_hint and .completer.writes == $wire.bar_writes
             else true end)
      end)}

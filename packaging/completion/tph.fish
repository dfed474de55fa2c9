# SPDX-License-Identifier: GPL-2.0-only
# fish completion of tph. The words come from 'tph complete', which reads the tables of options. In a checkout:
#     source packaging/completion/tph.fish

function __tph_offers
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    for offer in ($words[1] complete -- $words[2..-1] "$last" 2>/dev/null)
        switch $offer
            case '@file*'
                __fish_complete_path $last
            case '@directory*'
                __fish_complete_directories $last
            case '*'
                echo $offer
        end
    end
end

complete -c tph -f -a '(__tph_offers)'

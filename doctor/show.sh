# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# --list and --path: what there is, without a verdict.
# shellcheck disable=SC2154 # variables of tph-doctor, and results that functions set

# write_json: $DOCTOR_WORK/json goes to where --json says.
write_json()
{
	if [ "$json" = - ]; then
		cat "$DOCTOR_WORK/json" >&3
	else
		cp "$DOCTOR_WORK/json" "$json" || die "--json '$json': cannot be written"
	fi
}

# columns FILE NAME...: the lines of FILE, fields between tabs, as JSON objects; numbers and ? and - are told apart.
columns()
{
	columns_file=$1
	shift
	jq -Rn '[inputs | split("\t") | [$ARGS.positional, .] | transpose | map(.[0] as $name | { ($name): (.[1] |
		if . == "-" or . == "?" then null elif . == "yes" then true elif . == "no" then false
		elif $name == "class" then . else (tonumber? // .) end) }) | add]' --args "$@" <"$columns_file"
}

# completer_word BDF, prefix_word BDF, acs_word BDF: ? for what cannot be seen.
completer_word()
{
	completer "$1" && found=0 || found=$?
	case $found,$value in
	0,1) echo TPH ;;
	0,3) echo 'TPH and Extended TPH' ;;
	0,2) echo reserved ;;
	2,*) echo '?' ;;
	*) echo none ;;
	esac
}

prefix_word()
{
	devcap2 "$1" && found=0 || found=$?
	case $found in
	0) [ $((value >> 21 & 1)) -eq 1 ] && echo yes || echo no ;;
	1) echo no ;;
	*) echo '?' ;;
	esac
}

# See check_acs_redirect.
acs_word()
{
	config "$1" ECAPd+6.W && found=0 || found=$?
	case $found in
	0) [ $((value & 0x2c)) -ne 0 ] && echo redirects || echo off ;;
	1) echo none ;;
	*) echo '?' ;;
	esac
}

# Device/Port Type (7.5.3.2).
type_word()
{
	port_type "$1" && found=0 || found=$?
	case $found,$value in
	0,[01]) echo endpoint ;;
	0,4) echo 'root port' ;;
	0,5) echo 'upstream port of a switch' ;;
	0,6) echo 'downstream port of a switch' ;;
	0,[78]) echo 'bridge' ;;
	0,9) echo 'integrated endpoint' ;;
	0,*) echo "port of type $value" ;;
	1,*) echo 'conventional function' ;;
	*) echo '?' ;;
	esac
}

# attribute BDF NAME: what sysfs has in it, or -.
attribute()
{
	cat "$PCI/$1/$2" 2>/dev/null || echo -
}

# link_word BDF NAME: the last part of where a link leads to, or -.
link_word()
{
	link=$(readlink "$PCI/$1/$2") || link=-
	echo "${link##*/}"
}

# tph_word BDF: of the requester.
tph_word()
{
	config "$1" ECAP17+8.L && found=0 || found=$?
	case $found,$((value >> 8 & 3)) in
	0,1) echo '8-bit tags' ;;
	0,3) echo '16-bit tags' ;;
	0,*) echo off ;;
	1,*) echo none ;;
	*) echo '?' ;;
	esac
}

# largest_bar BDF: number and size of the largest memory BAR, or -.
largest_bar()
{
	largest=0 biggest=- n=0
	while read -r first last flags && [ $n -lt 6 ]; do
		if [ $((flags & 0x200)) -ne 0 ] && [ $((last - first)) -ge "$largest" ] && [ $((last)) -gt 0 ]; then
			largest=$((last - first + 1)) biggest=$n
		fi
		n=$((n + 1))
	done <"$PCI/$1/resource"
	printf '%s\t%s\n' "$biggest" "$largest"
}

show_list()
{
	[ "$json" != - ] || exec 3>&1 >/dev/null
	: >"$DOCTOR_WORK/hcas"
	: >"$DOCTOR_WORK/endpoints"
	hcas=
	for entry in "$IB"/*; do
		[ -e "$entry" ] || continue
		function=-
		[ ! -e "$entry/device/config" ] || function=$(basename "$(readlink -f "$entry/device")")
		states=$(sed 's/.*: *//' "$entry"/ports/*/state 2>/dev/null | xargs)
		hcas="$hcas $function"
		if [ "$function" = - ]; then
			printf '%s\t-\t-\tnone\t%s\n' "${entry##*/}" "${states:--}"
		else
			printf '%s\t%s\t%s\t%s\t%s\n' "${entry##*/}" "$function" "$(link_word "$function" driver)" \
				"$(tph_word "$function")" "${states:--}"
		fi >>"$DOCTOR_WORK/hcas"
	done
	for entry in "$PCI"/*; do
		[ -e "$entry/resource" ] || continue
		function=${entry##*/} class=$(attribute "$function" class)
		case "$class $hcas " in
		0x06* | *" $function "*) continue ;;
		esac
		driver=$(link_word "$function" driver) takes=$(completer_word "$function")
		case $takes,$driver in
		none,vfio-pci | none,*_vfio_pci | none,*-vfio-pci) ;;
		none,*) continue ;;
		esac
		printf '%s\t%s\t%s\t%s\t%s\n' "$function" "${class#0x}" "$driver" "$takes" "$(largest_bar "$function")" \
			>>"$DOCTOR_WORK/endpoints"
	done
	echo "RDMA devices:"
	awk -F '\t' '{ printf "  %-10s %s, driver %s, TPH: %s, port: %s\n", $1, $2, $3, $4, $5; n++ }
		END { if (!n) print "  none" }' "$DOCTOR_WORK/hcas"
	echo "functions that are TPH completers or on vfio-pci:"
	awk -F '\t' '{ printf "  %s class %s, driver %s, completer: %s, largest memory BAR: %s (%s bytes)\n",
		$1, $2, $3, $4, $5, $6; n++ } END { if (!n) print "  none" }' "$DOCTOR_WORK/endpoints"
	[ -n "$json" ] || return 0
	jq -n --argjson hcas "$(columns "$DOCTOR_WORK/hcas" name bdf driver tph ports)" \
		--argjson endpoints "$(columns "$DOCTOR_WORK/endpoints" bdf class driver completer bar bar_size)" '{ $hcas, $endpoints }' >"$DOCTOR_WORK/json"
	write_json
}

# hop BDF DEPTH SIDE: a line of the tree.
hop()
{
	hop_name=
	[ "$1" != "$hca_bdf" ] || hop_name=" $hca"
	hop_type=$(type_word "$1") hop_acs=$(acs_word "$1") hop_takes=$(completer_word "$1") hop_prefix=$(prefix_word "$1")
	hop_group=$(link_word "$1" iommu_group) hop_numa=$(attribute "$1" numa_node)
	[ "$hop_numa" != -1 ] || hop_numa=-
	printf '%*s%s%s: %s, ACS %s, completer %s, TLP prefixes %s, IOMMU group %s, NUMA node %s\n' \
		$((3 * $2)) '+- ' "$1" "$hop_name" "$hop_type" "$hop_acs" "$hop_takes" "$hop_prefix" "$hop_group" "$hop_numa"
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$3" "$1" "$hop_type" "$hop_acs" "$hop_takes" "$hop_prefix" "$hop_group" \
		"$hop_numa" >>"$DOCTOR_WORK/hops"
}

show_path()
{
	[ -n "$hca_bdf" ] || die "--path: $hca is no RDMA device that is a PCI function; --list shows them"
	[ -d "$PCI/$bdf" ] || die "--path: there is no PCI device $bdf"
	[ "$json" != - ] || exec 3>&1 >/dev/null
	: >"$DOCTOR_WORK/hops"
	look_at_path
	# What is above both: all of a chain down to the last that is in both.
	above=
	if [ -n "$common" ]; then
		for function in $(chain "$bdf"); do
			above="$above $function"
			[ "$function" != "$common" ] || break
		done
	fi
	echo "root complex"
	depth=1
	for function in $above; do
		hop "$function" $depth both
		depth=$((depth + 1))
	done
	fork=$depth
	for function in $hca_chain; do
		hop "$function" $depth hca
		depth=$((depth + 1))
	done
	depth=$fork
	for function in $endpoint_chain; do
		hop "$function" $depth endpoint
		depth=$((depth + 1))
	done
	[ -n "$json" ] || return 0
	columns "$DOCTOR_WORK/hops" side bdf type acs completer tlp_prefixes iommu_group numa_node |
		jq --arg hca "$hca" --arg bdf "$bdf" --arg common "$common" \
			'{ hca: $hca, bdf: $bdf, common: (if $common == "" then null else $common end), hops: . }' \
			>"$DOCTOR_WORK/json"
	write_json
}

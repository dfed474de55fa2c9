# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # variables of run.sh
# perftest's programs in loopback: each with the connections it knows, over sizes and numbers of QPs.
common="-d $device ${gid:+-x $gid} -F"

# one PROGRAM OPTIONS
one()
{
	both "$1 $2" 18515 "$1 $common $2" "$1 $common $2 127.0.0.1"
}

# xrc PROGRAM OPTIONS
xrc()
{
	if ibv_devinfo -v -d "$device" | grep -q XRC; then
		one "$1" "-c XRC $2"
	else
		verdict skip "$1 -c XRC $2" 'no XRC'
	fi
}

sizes='8 65536'
[ -z "$whole" ] || sizes='1 2 64 1000 4096 65536 1048576'
for program in ib_write_bw ib_read_bw ib_send_bw; do
	for size in $sizes; do
		one $program "-s $size -n 20"
	done
	one $program '-s 4096 -n 20 -q 4'
	one $program '-s 4096 -n 20 -b'
	[ -z "$whole" ] || one $program '-s 4096 -n 20 -q 16'
	[ -z "$whole" ] || one $program '-a -n 5'
	# perftest refuses events with RDMA WRITE.
	[ -z "$whole" ] || [ $program = ib_write_bw ] || one $program '-s 4096 -n 20 -e'
	xrc $program '-s 4096 -n 20'
done
for program in ib_write_lat ib_read_lat ib_send_lat; do
	for size in $sizes; do
		one $program "-s $size -n 20"
	done
	[ -z "$whole" ] || [ $program = ib_write_lat ] || one $program '-s 8 -n 20 -e'
	xrc $program '-s 4096 -n 20'
done
for program in ib_write_bw ib_write_lat ib_send_bw ib_send_lat; do
	one $program '-c UC -s 4096 -n 20'
done
for program in ib_send_bw ib_send_lat; do
	one $program '-c UD -s 1024 -n 20'
done
one ib_write_bw '--write_with_imm -s 4096 -n 20'
one ib_write_lat '--write_with_imm -s 4096 -n 20'
for type in FETCH_AND_ADD CMP_AND_SWAP; do
	one ib_atomic_bw "-A $type -n 20"
	one ib_atomic_lat "-A $type -n 20"
done
xrc ib_atomic_bw '-n 20'
for program in raw_ethernet_bw raw_ethernet_lat; do
	case $link_layer:$device in
	InfiniBand:*) verdict skip $program 'raw packet QPs need an Ethernet port' ;;
	*:rxe0) verdict skip $program 'soft-RoCE has no raw packet QPs' ;;
	*) verdict skip $program 'its ends exchange nothing: a server that is not ready yet waits for ever' ;;
	esac
done

. /mnt/src/testbed/guest/control.sh
set -x
ibstat | head -40
saquery
saquery -c
saquery -p
saquery -s
saquery -g
saquery -m
saquery PIR
saquery LR
saquery SMIR
saquery SR
saquery --smkey 5 NR
ibaddr
sminfo
perfquery 1 1
perfquery -x 2 1
perfquery -C mlx5_1 2
control subnet
dmesg | tail -5

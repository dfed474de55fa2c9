#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
cat <<'EOF'
rdma-tph: PCIe steering tags for peer-to-peer RDMA, from vfio to the wire

usage: ./tph COMMAND ...

  run                   the main job: RDMA writes into exported BARs, without and with steering
                        tags, and the proof of what was on the wire
      --target T            gpu, nvme, gpu-no-tph, qemu-nvme or all (default)
      --st N                8-bit steering tag, 0..255
      --st-ext N            16-bit Extended Steering Tag, 0..65535
      --ph N                processing hint, 0..3 (default 2)
      --size BYTES          message size (default 65536)
      --iters N             messages per run (default 1000; at most 50 with qemu-nvme)
      --bar N, --offset N   where in the target (default: its memory BAR, from its start)
      --st-mode M           table (default) or direct
      --st-width W          8 or 16: requester width of the HCA function on the BAR's side;
                            by default that of the tag given
      --iommu M             pt (default), translated or off
      --json FILE           the results as JSON
      --dry-run             print what would be started
  test [--list] [SUITE...]
                        all suites, or the named ones
  exec [--share DIR] [--iommu M] [--dry-run] -- COMMAND ARG...
                        run a command as root in a freshly booted guest with the HCA functions and
                        the endpoints; DIR appears at /mnt/share; exits with the command's status
  shell [--share DIR] [--iommu M] [--dry-run]
                        an interactive shell in such a guest
  build [--dry-run] [sandbox|programs|rdma-core|perftest|guest|kernel]...
  doctor                what is missing or wrong on this machine, and how to mend it
  edit kernel|rdma-core|perftest [DIR]
                        the upstream source as a git tree, with the series as commits
  refresh kernel|rdma-core|perftest [DIR]
                        write the commits of that tree back as the series
  clean [--all]         remove what was built (--all: downloads, too)
  help

environment: TPH_CACHE (where everything is built), TPH_KEEP=1 (keep the run directory with trace
and logs), TPH_KVM=1 (use KVM), LINUX_SRC, RDMA_CORE_SRC, PERFTEST_SRC (other source trees),
TPH_MIRROR (Debian mirror)
EOF

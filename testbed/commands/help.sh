#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ./tph help [COMMAND]
set -eu

everything()
{
	cat <<'EOF'
rdma-tph: PCIe steering tags for peer-to-peer RDMA, from vfio to the wire

usage: ./tph COMMAND ...
       ./tph --version

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
      --installed           libraries, perftest, emulator and, if it is there, the kernel are those of
                            the packages on this machine (see package), not built
      --json FILE           the results as JSON
      --dry-run             print what would be started
  matrix [--quick] [--json FILE]
                        write, read and send with BARs and host memory: every kind of hint with every PH
                        in table and direct mode, at three sizes with 1 and 16 QPs, and every size from
                        8 bytes to 8 MiB with 1 to 64 QPs (more than 64 MiB of messages: GPU only; 8
                        MiB: not with QEMU's NVMe); each byte is verified, each TLP's hint counted;
                        about 4000 cells
      --quick               some 120 of them
      --json FILE           the results as JSON, a record for each cell
      --dry-run             print what would be started
  example [bar|tags]... [--installed] [--json FILE]
                        the programs of librdmacm-examples by IP address, between two name spaces: a BAR
                        with a hint, and many clients with a tag each; what they say, and what the
                        completer counted
      --installed           as for run, and these programs, too
      --json FILE           the same as JSON
      --dry-run             print what would be started
  cost [OPTION...]      what hints cost, side by side: registration with and without, and on a kernel
                        without the series; up to 65536 regions with one tag and with a tag each;
                        bandwidth and message rate of ib_write_bw. Medians of 30 runs that take turns
      --quick               3 runs, 64 regions, no other kernel
      --no-stock            no other kernel (building it takes a quarter of an hour)
      --most N              regions side by side, at most (1..65536, the default)
      --json FILE           the results as JSON
  test [OPTION...] [SUITE|SUITE/NNN]...
                        the default suites (some on the debug kernel, too), or the named ones, or single
                        tests of them
      --list                what there is
      --debug-kernel        all of the guest's suites on kernels that look for errors: debug (KASAN,
                            lockdep, kmemleak, UBSAN, DMA API), and for races KCSAN
      --full                long counts and all parts of a suite
      --jobs N              suites in guests of their own side by side (default: one for each
                            processor and 3 GB of free memory)
      --linux VERSION       the series on 7.2 or 7.3 (default)
      --installed           suites of the guest that are named, with the programs and libraries of the
                            packages on this machine; what only tests is built
      --json FILE           the results as JSON
  conformance [OPTION...] [SUITE]...
                        test suites that nobody here wrote, on the HCA and, to compare, on soft-RoCE:
                        rdma-core-python, pingpong, perftest, ucx, libfabric, qperf
      --device D        mlx5_0, mlx5_1 or rxe0; may be repeated (default mlx5_0 and rxe0)
      --selection       only what ./tph test runs of them
      --json FILE       the results as JSON
  fuzz [OPTION...] [TARGET]...
                        fuzz the emulator with libFuzzer, sanitizers and an oracle: cmd, config, control, flow,
                        mad, options, rings, tlp, tlpdump, umr, vfio, wqe; all by default (fuzz/README.md)
      --minutes N       for each target (default 1; 0.5 is half a minute)
      --seed N          a start that was printed before (default: a fresh one)
      --jobs N          targets side by side (default: one for each processor)
      --json FILE       executions, seconds and findings as JSON
      --dry-run         print what would be fuzzed
  report [OPTION...]    measure bandwidth, latency and tags, follow one write from the ioctl to its TLP, and
                        make one HTML page of it; ten minutes
      --out FILE        the page (default report.html)
      --json FILE       the figures as JSON
      --repeats N       runs of each kind and size (default 5)
      --quick           two sizes, one run each: one or two minutes
      --from FILE       make the page anew from such a JSON file
      --dry-run         print what would be started
  exec [OPTION...] [--] COMMAND ARG...
                        run a command as root in a freshly booted guest with the HCA functions and
                        the endpoints; exits with the command's status
      --share DIR           DIR appears at /mnt/share
      --devices FILE        other devices than those of testbed/devices
      --iommu M             pt (default), translated or off
      --linux VERSION       as for test
      --variant V           the kernel: plain (default), debug, kcsan, or stock (without the series)
      --installed           as for run
      --dry-run             print what would be started
  shell [OPTION...]     an interactive shell in such a guest; options as for exec
  build [--linux VERSION] [--variant V] [--dry-run] [PART...]
                        sandbox, programs, rdma-core, perftest, iproute2, guest, kernel, tests (the
                        programs that test the kernel); all by default
  package [OPTION...] [PART...]
                        build Debian packages in clean roots: rdma-core, perftest, kernel, rdma-tph
                        (this project: libvfiobar, vfiobar, tph-doctor, tph-emulator,
                        rdma-bar-examples, rdma-tph); all by default
      --release R           for Debian trixie (default) or bookworm
      --output DIR          copy them to DIR
      --repo DIR            make DIR, which has nothing else, an archive that apt can use
      --dry-run             print what would be packaged
  doctor                what this machine lacks to run the testbed, and how to mend it; HCAs and endpoints,
                        real ones or those of a guest, are looked at by the program tph-doctor
                        (./tph exec -- tph-doctor OPTION...)
  edit [--linux VERSION] kernel|rdma-core|perftest|iproute2 [DIR]
                        the upstream source as a git tree, with the series as commits
  refresh [--linux VERSION] kernel|rdma-core|perftest|iproute2 [DIR]
                        write the commits of that tree back as the series
  clean [--all]         remove what was built (--all: downloads, too)
  help [COMMAND]        this, or what it says of one

environment: TPH_CACHE (where everything is built), TPH_KEEP=1 (keep the run directory with trace
and logs), TPH_KVM=1 (use KVM), LINUX_SRC, RDMA_CORE_SRC, PERFTEST_SRC,
IPROUTE2_SRC (other source trees), TPH_LINUX (as --linux), TPH_KERNEL (a built kernel: a directory
of TPH_CACHE), TPH_GCOV (a directory for counters of a coverage kernel), TPH_MIRROR (Debian mirror),
TPH_SEED (what ./tph test faults draws its faults from)
EOF
}

# of COMMAND: its lines.
of()
{
	everything | awk -v want="$1" '
		/^[^ ]/ { mine = 0 }
		/^  [a-z]/ { mine = $1 == want }
		mine { print; found = 1 }
		END { exit !found }'
}

case $# in
0) everything ;;
1)
	of "$1" || {
		echo "tph: no such command: '$1'; './tph help' lists them" >&2
		exit 2
	}
	;;
*)
	echo "tph help: takes one command, not '$*'" >&2
	exit 2
	;;
esac

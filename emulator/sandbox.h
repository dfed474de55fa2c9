/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the running emulator may still ask of the kernel. It has opened all that it needs when it
 * enters the sandbox, so it needs little: no file, socket, process or program is opened or started
 * any more.
 */
#ifndef EMULATOR_SANDBOX_H
#define EMULATOR_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* Exit status after a system call that the filter refuses: 128 + SIGSYS. */
#define SANDBOX_REFUSED 159

struct sandbox {
	unsigned int files; /* descriptors that may be open at once */
	uint64_t memory;    /* bytes of private memory on top of what the process has now */
};

/* Whether this program was built with libseccomp. */
bool sandbox_available(void);
/*
 * sandbox_enter() - for the whole process and for good: no new privileges, no core files, the two
 * limits (descriptors are EMFILE beyond, memory is ENOMEM), and a filter of system calls. All
 * threads have been started, all files and sockets opened.
 *
 * A call that the filter refuses ends the process with SANDBOX_REFUSED, after its number has been
 * said on stderr: none of this program's code makes one, so who makes one is somebody else. One
 * that was only refused could try the next.
 *
 * Returns 0 or -errno after a message on stderr: -ENOSYS no libseccomp, or a kernel without
 * filters.
 */
int sandbox_enter(const struct sandbox *sandbox);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fault injection into one system call of the calling thread: the n-th allocation or copy from or
 * to user space in it fails. Needs a kernel with FAILSLAB and FAULT_INJECTION_USERCOPY.
 */
#ifndef KERNEL_TESTS_INJECT_H
#define KERNEL_TESTS_INJECT_H

enum inject_kind { INJECT_NOTHING, INJECT_SLAB, INJECT_USERCOPY, INJECT_KINDS };

/* Returns 0, or -errno on a kernel that cannot. Undone by inject_close(). */
int inject_open(void);
void inject_close(void);
/* From the next system call on. */
void inject_arm(unsigned int nth);
/* Ends it. Returns what failed, INJECT_NOTHING when there was no n-th. */
enum inject_kind inject_disarm(void);
/*
 * Two allocations in a row, of what is tried again when it fails. From here on the thread gets
 * @bytes more of slab memory before. The end returns how many failed: 0 to 2.
 */
void inject_arm_twice(unsigned int bytes);
unsigned int inject_disarm_twice(void);
/* What the system call that failed must return. */
int inject_errno(enum inject_kind kind);

#endif

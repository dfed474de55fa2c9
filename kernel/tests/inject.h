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
 * From here to inject_plenty() the thread gets @bytes more of slab memory, and no allocation after
 * that: what is tried twice fails, too.
 */
void inject_shortage(unsigned int bytes);
void inject_plenty(void);
/* What the system call that failed must return. */
int inject_errno(enum inject_kind kind);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An older kernel, as far as libibverbs can tell: a preloaded library whose ioctl() answers verbs
 * as ib_uverbs does that lacks a method or an attribute. An unknown method, and an unknown
 * attribute that is mandatory, are EPROTONOSUPPORT; an unknown attribute that is not is left out.
 *All else is passed on. What is missing is the variable OLD_KERNEL of the environment:
 *
 *	tph		what the kernel series adds to registration, query and device
 *	dmah		the DMA handle of a registration
 *	reg-mr		the method REG_MR
 *	ioctl		the verbs ioctl: ENOTTY
 *	vfio-hint	the vfio feature for hints: ENOTTY
 *	vfio-export	the vfio feature for dma-bufs: ENOTTY
 */
#ifndef PROVIDERS_OLD_KERNEL_H
#define PROVIDERS_OLD_KERNEL_H

struct old_kernel_counts {
	unsigned int refused; /* with EPROTONOSUPPORT or ENOTTY */
	unsigned int skipped; /* attributes left out */
	unsigned int reg_mr;  /* REG_MR methods seen */
};

/* Since the program started. Found by name, as the library is preloaded. */
const struct old_kernel_counts *old_kernel_counts(void);

#endif

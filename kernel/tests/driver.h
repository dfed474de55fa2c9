/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver of an HCA function, taken away and given back, and resets of the function, by sysfs.
 * Functions return 0 or a negative errno.
 */
#ifndef KERNEL_TESTS_DRIVER_H
#define KERNEL_TESTS_DRIVER_H

#include <stddef.h>

/* PCI address of HCA function @name. */
int driver_bdf(const char *name, char *bdf, size_t size);
/* mlx5_core lets go of @bdf, or takes it. */
int driver_unbind(const char *bdf);
int driver_bind(const char *bdf);
/* Function level reset behind the driver's back. It finds out by itself, and recovers. */
int driver_reset(const char *bdf);
/* Waits until port 1 of @name is active. -ETIMEDOUT after @seconds, 0 just looks. */
int driver_wait_active(const char *name, unsigned int seconds);

#endif

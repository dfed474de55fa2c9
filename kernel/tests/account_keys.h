/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KERNEL_TESTS_ACCOUNT_KEYS_H
#define KERNEL_TESTS_ACCOUNT_KEYS_H

#include <stdint.h>

/* How many memory keys HCA function @device took from its pools and has not put back, or -errno. */
int64_t account_keys(const char *device);
/* How many pools it has, or -errno. */
int64_t account_pools(const char *device);

#endif

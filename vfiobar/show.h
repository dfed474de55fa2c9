/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program vfiobar prints of a function, as text or as JSON. */
#ifndef VFIOBAR_SHOW_H
#define VFIOBAR_SHOW_H

#include "vfiobar.h"

/* @dev is NULL when the function is not open; then nothing is said of ways and hints. */
void show_function(const struct vfiobar_layout *layout, struct vfiobar *dev, bool json);

/*
 * All functions on vfio-pci, by address. 0, or a negative errno with a cause in @msg. One that
 * cannot be looked at gets a line on standard error and is left out, and the others are printed.
 */
int show_list(bool json, struct vfiobar_msg *msg);

#endif

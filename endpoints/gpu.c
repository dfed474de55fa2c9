/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GPU-like endpoint: a 3D controller with nothing but video memory, in BAR0.
 */
#include "endpoints/model.h"

const struct endpoint_kind endpoint_gpu = {
	.name = "gpu",
	.about = "a GPU-like endpoint (VRAM in BAR 0)",
	/* The IDs are placeholders: 0x1dff is no assigned vendor, so that no driver matches. */
	.identity = {
		.vendor = 0x1dff,
		.device = 0x0001,
		.subsystem_vendor = 0x1dff,
		.subsystem = 0x0001,
		.revision = 1,
		.class_code = 0x030200,
	},
	.memory_bar = 0,
};

/* SPDX-License-Identifier: GPL-2.0-only */
/* The log of commands, see hca_log_commands(): what cmd.c tells it. */
#ifndef HCA_CMD_LOG_H
#define HCA_CMD_LOG_H

#include "hca/model.h"

/* A command that was answered. */
struct hca_cmd_result {
	const uint8_t *head; /* the first 16 bytes of its input */
	/* All of its input and output, and their lengths; NULL: it was not executed. */
	const uint8_t *in, *out;
	uint32_t ilen, olen;
	uint8_t delivery; /* delivery status, 0: it was delivered */
	enum hca_cmd_status status;
	uint32_t syndrome;
	uint64_t ns; /* from when its entry was read until it was given back */
};

/* Whether the log is on. */
bool hca_cmd_logged(struct hca *hca);
/* A line for @result, if the log is on. */
void hca_cmd_log(struct hca *hca, const struct hca_cmd_result *result);

#endif

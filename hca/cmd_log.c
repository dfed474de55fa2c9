/* SPDX-License-Identifier: GPL-2.0-only */
/* A line for each command, for people who debug a driver. */
#include "hca/cmd_log.h"
#include "hca/layout.h"

#include <inttypes.h>

#include "hca/opcodes.h"

static const char *status_name(enum hca_cmd_status status)
{
	switch (status) {
	case HCA_CMD_OK:
		return "OK";
	case HCA_CMD_INTERNAL:
		return "INTERNAL";
	case HCA_CMD_BAD_OP:
		return "BAD_OP";
	case HCA_CMD_BAD_PARAM:
		return "BAD_PARAM";
	case HCA_CMD_BAD_SYS_STATE:
		return "BAD_SYS_STATE";
	case HCA_CMD_BAD_RESOURCE:
		return "BAD_RESOURCE";
	case HCA_CMD_LIMIT:
		return "LIMIT";
	case HCA_CMD_BAD_RES_STATE:
		return "BAD_RES_STATE";
	case HCA_CMD_BAD_INDEX:
		return "BAD_INDEX";
	case HCA_CMD_NO_RESOURCES:
		return "NO_RESOURCES";
	case HCA_CMD_BAD_QP_STATE:
		return "BAD_QP_STATE";
	case HCA_CMD_BAD_INPUT_LEN:
		return "BAD_INPUT_LEN";
	case HCA_CMD_BAD_OUTPUT_LEN:
		return "BAD_OUTPUT_LEN";
	default:
		return "?";
	}
}

void hca_log_commands(struct hca *hca, FILE *out)
{
	pthread_mutex_lock(&hca->report_lock);
	hca->cmd_log.out = out;
	hca->cmd_log.left = HCA_LOG_COMMANDS;
	pthread_mutex_unlock(&hca->report_lock);
}

bool hca_cmd_logged(struct hca *hca)
{
	bool on;

	pthread_mutex_lock(&hca->report_lock);
	on = hca->cmd_log.out;
	pthread_mutex_unlock(&hca->report_lock);
	return on;
}

/* The number of the object that the command names, or makes. Returns whether there is one. */
static bool find_object(const struct hca_op *op, const struct hca_cmd_result *result,
			uint32_t *number)
{
	if (!op || !result->in)
		return false;
	if (op->names && op->names + 4u <= result->ilen)
		*number = be32_at(result->in, op->names);
	else if (op->makes && !result->status && op->makes + 4u <= result->olen)
		*number = be32_at(result->out, op->makes);
	else
		return false;
	return true;
}

static void print(struct hca *hca, FILE *out, const struct hca_cmd_result *result)
{
	uint16_t opcode = be16_at(result->head, CMD_OPCODE), uid = be16_at(result->head, CMD_UID);
	uint16_t op_mod = be16_at(result->head, CMD_OP_MOD);
	const struct hca_op *op = hca_op_find(opcode);
	uint32_t number;

	fprintf(out, "%s: command 0x%03x %s", hca->params.name, opcode, op ? op->name : "?");
	if (op_mod)
		fprintf(out, " op_mod 0x%x", op_mod);
	if (uid)
		fprintf(out, " uid 0x%x", uid);
	if (find_object(op, result, &number))
		fprintf(out, " object 0x%" PRIx32, number);
	if (result->delivery)
		fprintf(out, ": delivery 0x%02x", result->delivery);
	else
		fprintf(out, ": %s", status_name(result->status));
	if (result->syndrome)
		fprintf(out, " syndrome 0x%06" PRIx32, result->syndrome);
	fprintf(out, " %" PRIu64 " us\n", result->ns / 1000);
}

void hca_cmd_log(struct hca *hca, const struct hca_cmd_result *result)
{
	struct hca_cmd_log *log = &hca->cmd_log;

	pthread_mutex_lock(&hca->report_lock);
	if (log->out && log->left) {
		print(hca, log->out, result);
		if (!--log->left)
			fprintf(log->out, "%s: %u commands are logged: no more\n", hca->params.name,
				HCA_LOG_COMMANDS);
		fflush(log->out);
	}
	pthread_mutex_unlock(&hca->report_lock);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transport interface receives (TIR): where flow tables send frames. A direct one has one receive
 * queue, an indirect one a table of them, of which a hash over a frame's addresses chooses.
 */
#include "hca/budget.h"
#include "hca/opcodes.h"
#include "hca/eth.h"
#include "hca/kinds.h"

#define CONTEXT 0x20u
#define KEY	0x28u /* rx_hash_toeplitz_key */

#define DIRECT	 0u
#define INDIRECT 1u

#define HASH_NONE     0u
#define HASH_XOR8     1u
#define HASH_TOEPLITZ 2u

/* rx_hash_field_select: dword 20; inner headers are dword 21. */
#define SELECT	   20u
#define L3_IPV6	   (1u << 31)
#define L4_UDP	   (1u << 30)
#define HASH_SRC   (1u << 0)
#define HASH_DST   (1u << 1)
#define HASH_SPORT (1u << 2)
#define HASH_DPORT (1u << 3)

/* In the second word of modify_tir_in.bitmask at 0x10. */
#define MODIFY_MERGE (1u << 0)
#define MODIFY_HASH  (1u << 2)
#define MODIFY_LB    (1u << 4)

const struct hca_kind hca_kind_tir = {
	.limit = 1u << 16,
	.free = hca_release,
};

struct hca_tir *hca_tir_find(struct hca *hca, const struct hca_cmd *cmd, uint32_t number)
{
	struct hca_tir *tir = hca_table_get(&hca->tirs, number);

	return tir && hca_cmd_owns(cmd, tir->uid) ? tir : NULL;
}

static void hold(struct hca *hca, const struct hca_tir *tir, int change)
{
	struct hca_rqt *rqt = hca_table_get(&hca->rqts, tir->indirect ? tir->rqtn : 0);
	struct hca_qp *rq = hca_table_get(&hca->qps, tir->indirect ? 0 : tir->rqn);

	if (rqt)
		rqt->users += (uint32_t)change;
	if (rq)
		rq->users += (uint32_t)change;
	hca_plain_hold(&hca->tds, tir->td, change);
	hca_plain_hold(&hca->uctxs, tir->uid, change);
}

/* What @tir's context names exists, and is the command's to name. */
static enum hca_cmd_status decode(struct hca *hca, struct hca_cmd *cmd, struct hca_tir *tir)
{
	uint32_t type = field_get(tir->context, TIR_DISP_TYPE),
		 fn = field_get(tir->context, TIR_HASH_FN);

	if (type > INDIRECT || fn > HASH_TOEPLITZ)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x220001);
	/* packet_merge_mask, tls_en */
	if (field_get(tir->context, TIR_PACKET_MERGE) || field_get(tir->context, TIR_TLS_EN)) {
		hca_unmodelled(hca, "TIR that merges packets");
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x220002);
	}
	tir->indirect = type == INDIRECT;
	tir->rqn = field_get(tir->context, TIR_INLINE_RQN);
	tir->rqtn = field_get(tir->context, TIR_INDIRECT);
	tir->td = field_get(tir->context, TIR_TD);
	if ((tir->td && !hca_plain_find(cmd, &hca->tds, tir->td)) ||
	    (tir->indirect ? !hca_rqt_find(hca, cmd, tir->rqtn)
			   : !hca_eth_queue_find(hca, cmd, tir->rqn, HCA_QP_ETH_RQ)))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x220003);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_create_tir(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_tir *tir = hca_alloc(hca, sizeof(*tir));
	enum hca_cmd_status status;

	if (!tir)
		return hca_cmd_fail(cmd, HCA_CMD_NO_RESOURCES, 0x220004);
	tir->uid = hca_cmd_uid(cmd);
	memcpy(tir->context, cmd->in + CONTEXT, sizeof(tir->context));
	status = decode(hca, cmd, tir);
	if (!status)
		status = hca_cmd_add(hca, cmd, &hca->tirs, 1, tir, &tir->number);
	if (status) {
		hca_release(hca, tir);
		return status;
	}
	hold(hca, tir, 1);
	field_put(cmd->out, CMD_NUMBER, tir->number);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_modify_tir(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_tir *tir = hca_tir_find(hca, cmd, hca_cmd_number(cmd));
	const uint8_t *tirc = cmd->in + CONTEXT;
	uint32_t select = be32_at(cmd->in, MODIFY_BITMASK);

	if (!tir)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x220005);
	if (select & ~(MODIFY_MERGE | MODIFY_HASH | MODIFY_LB) ||
	    (select & MODIFY_MERGE && field_get(tirc, TIR_PACKET_MERGE)) ||
	    (select & MODIFY_HASH && field_get(tirc, TIR_HASH_FN) > HASH_TOEPLITZ))
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x220006);
	if (select & MODIFY_HASH) {
		field_put(tir->context, TIR_SYMMETRIC, field_get(tirc, TIR_SYMMETRIC));
		field_put(tir->context, TIR_HASH_FN, field_get(tirc, TIR_HASH_FN));
		memcpy(tir->context + KEY, tirc + KEY, 4 * SELECT + 8 - KEY);
	}
	if (select & MODIFY_LB)
		field_put(tir->context, TIR_SELF_LB, field_get(tirc, TIR_SELF_LB));
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_destroy_tir(struct hca *hca, struct hca_cmd *cmd)
{
	struct hca_tir *tir = hca_tir_find(hca, cmd, hca_cmd_number(cmd));

	if (!tir)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x220007);
	if (tir->users)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RES_STATE, 0x220008);
	hca_table_remove(hca, &hca->tirs, tir->number);
	hold(hca, tir, -1);
	hca_release(hca, tir);
	return HCA_CMD_OK;
}

enum hca_cmd_status hca_cmd_query_tir(struct hca *hca, struct hca_cmd *cmd)
{
	const struct hca_tir *tir = hca_tir_find(hca, cmd, hca_cmd_number(cmd));

	if (!tir)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_RESOURCE, 0x220009);
	memcpy(cmd->out + CONTEXT, tir->context, sizeof(tir->context));
	return HCA_CMD_OK;
}

/* --- which queue ------------------------------------------------------------------------- */

/* Appends @len bytes of @a, or those of @b: both ways of a connection in one order if @sorted. */
static size_t put_pair(uint8_t *input, const uint8_t *a, const uint8_t *b, size_t len, bool want_a,
		       bool want_b, bool sorted)
{
	bool swap = sorted && want_a && want_b && memcmp(a, b, len) > 0;
	size_t at = 0;

	if (want_a) {
		memcpy(input, swap ? b : a, len);
		at = len;
	}
	if (want_b) {
		memcpy(input + at, swap ? a : b, len);
		at += len;
	}
	return at;
}

/* What is hashed of the frame into @input (36 bytes). 0: nothing, the TIR is for other frames. */
static size_t gather(const struct hca_tir *tir, const uint8_t *bytes, const struct hca_frame *frame,
		     uint8_t input[36], uint8_t *type)
{
	uint32_t select = be32_at(tir->context, 4 * SELECT);
	bool sorted = field_get(tir->context, TIR_SYMMETRIC), v6 = select & L3_IPV6;
	const uint8_t *ip = bytes + frame->ip_at, *l4 = bytes + frame->l4_at;
	bool udp = select & L4_UDP;
	size_t at;

	if (frame->ip != (v6 ? 6 : 4))
		return 0;
	at = put_pair(input, ip + (v6 ? 8 : 12), ip + (v6 ? 24 : 16), v6 ? 16 : 4,
		      select & HASH_SRC, select & HASH_DST, sorted);
	*type = v6 ? 2u << 2 : 1u << 2;
	if (!(select & (HASH_SPORT | HASH_DPORT)) || !frame->l4_at ||
	    frame->protocol != (udp ? HCA_ETH_UDP : HCA_ETH_TCP))
		return at;
	at += put_pair(input + at, l4, l4 + 2, 2, select & HASH_SPORT, select & HASH_DPORT, sorted);
	*type |= udp ? 2u << 6 : 1u << 6;
	return at;
}

static uint32_t xor8(const uint8_t *input, size_t len)
{
	uint8_t hash = 0;

	for (size_t i = 0; i < len; i++)
		hash ^= input[i];
	return hash;
}

uint32_t hca_tir_queue(struct hca *hca, const struct hca_tir *tir, const uint8_t *bytes,
		       const struct hca_frame *frame, uint32_t *hash, uint8_t *type)
{
	uint32_t fn = field_get(tir->context, TIR_HASH_FN);
	const struct hca_rqt *rqt;
	uint8_t input[36];
	size_t len;

	*hash = 0;
	*type = 0;
	if (!tir->indirect)
		return tir->rqn;
	rqt = hca_table_get(&hca->rqts, tir->rqtn);
	if (!rqt || !rqt->actual)
		return 0;
	len = fn == HASH_NONE ? 0 : gather(tir, bytes, frame, input, type);
	if (fn == HASH_TOEPLITZ)
		*hash = hca_frame_toeplitz(tir->context + KEY, input, len);
	else if (fn == HASH_XOR8)
		*hash = xor8(input, len);
	return rqt->rqn[*hash % rqt->actual];
}

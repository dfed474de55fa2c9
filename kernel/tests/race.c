// SPDX-License-Identifier: GPL-2.0-only
#include "race.h"

#include <errno.h>
#include <unistd.h>

struct vfiobar_hint race_pair(uint64_t *seed)
{
	uint8_t ph = (uint8_t)hammer_random(seed, 4);
	uint8_t neighbour = (uint8_t)hammer_random(seed, RACE_NEIGHBOURS);

	return mr_st_both((uint8_t)(ph << 6 | neighbour), (uint16_t)(ph << 14 | neighbour), ph);
}

bool race_pair_whole(const struct ib_uverbs_mr_tph *tph)
{
	unsigned int shift = tph->st_width == 8 ? 6 : 14;

	return (tph->st_width == 8 || tph->st_width == 16) &&
	       tph->steering_tag >> shift == tph->ph &&
	       (tph->steering_tag & ((1u << shift) - 1)) < RACE_NEIGHBOURS;
}

static void set(struct race_target *target, struct vfiobar_hint hint)
{
	int ret = mr_bar_hint(target->bar, target->fd, hint);

	HAMMER_EQUAL(0, ret);
	target->set++;
}

void race_set_step(void *arg, uint64_t *seed)
{
	set(arg, race_pair(seed));
}

void race_set_withdraw_step(void *arg, uint64_t *seed)
{
	set(arg, hammer_random(seed, 4) ? race_pair(seed) : mr_no_hint());
}

/* What a registration of @policy that succeeded may say. */
static void check_tph(struct race_target *target, int policy, const struct ib_uverbs_mr_tph *tph)
{
	HAMMER_EQUAL(policy, tph->policy);
	/* a re-map may have found a newer hint */
	if ((tph->flags & ~(uint32_t)IB_UVERBS_MR_TPH_STALE) == IB_UVERBS_MR_TPH_APPLIED) {
		HAMMER_EQUAL(IB_UVERBS_MR_TPH_SOURCE_DMABUF, tph->source);
		if (!HAMMER_CHECK(race_pair_whole(tph)))
			ktap_note("torn: tag 0x%x with PH %u", tph->steering_tag, tph->ph);
		target->applied++;
		return;
	}
	HAMMER_EQUAL(IB_UVERBS_MR_TPH_AUTO, policy);
	/* what failed because the memory was gone may have gone well without hint */
	if (target->revoked && tph->flags == IB_UVERBS_MR_TPH_FALLBACK)
		HAMMER_EQUAL(IB_UVERBS_MR_TPH_REASON_KEY, tph->reason);
	else
		HAMMER_EQUAL(0, tph->flags);
	HAMMER_EQUAL(IB_UVERBS_MR_TPH_SOURCE_NONE, tph->source);
	target->none++;
}

void race_register_step(void *arg, uint64_t *seed)
{
	struct race_target *target = arg;
	int policy = hammer_random(seed, 2) ? IB_UVERBS_MR_TPH_REQUIRE : IB_UVERBS_MR_TPH_AUTO;
	enum mr_method method = hammer_random(seed, 2) ? MR_REG_MR : MR_REG_DMABUF_MR;
	struct mr_request request = mr_request(target->fd, MR_PAGE, policy);
	struct mr_info info;
	struct mr mr;
	int ret = mr_reg(target->hca, method, &request, &mr);

	if (ret) {
		/* none, or another one by the time that the memory was mapped */
		bool no_hint =
			(ret == -ENODATA || ret == -ESTALE) && policy == IB_UVERBS_MR_TPH_REQUIRE;

		if (!no_hint && !(ret == -ENODEV && target->revoked))
			HAMMER_EQUAL(0, ret);
		target->refused++;
		usleep(200);
		return;
	}
	if (HAMMER_EQUAL(0, mr_query(target->hca, &mr, &info)) && HAMMER_CHECK(info.has_tph))
		check_tph(target, policy, &info.tph);
	HAMMER_EQUAL(0, mr_dereg(target->hca, &mr));
}

void race_target_done(const struct race_target *target)
{
	ktap_note("%lu hints set; %lu registrations with one, %lu without, %lu refused",
		  target->set, target->applied, target->none, target->refused);
}

bool race_target_enough(void *arg)
{
	struct race_target *target = arg;

	return target->set && target->applied;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration space of an HCA and an endpoint: accesses of any size and place, function level
 * resets, registers of BARs. Read-only bits keep their values, the list of capabilities stays
 * whole, and what other threads see is within the specification's bounds.
 */
#include <stdlib.h>

#include "endpoints/endpoint.h"
#include "fuzz/target.h"
#include "hca/hca.h"
#include "pcie/fabric.h"

#define FUNCTIONS 3u

static struct pcie_function *function[FUNCTIONS];

static void wake(void *arg)
{
	(void)arg;
}

static void set_up(void)
{
	struct hca_params hca = { .name = "hca0",
				  .id = 0x10,
				  .device_id = 0x1021,
				  .lid = 1,
				  .guid = 1,
				  .st_mode = HCA_ST_TABLE,
				  .st_width = 16,
				  .st_entries = 64,
				  .vectors = 8 };
	struct endpoint_params gpu = { .name = "gpu0",
				       .id = 0x18,
				       .kind = "gpu",
				       .memory_size = 1 << 20,
				       .completer = PCIE_TPH_COMPLETER_EXTENDED,
				       .acs = true };
	struct endpoint_params nvme = { .name = "nvme0",
					.id = 0x20,
					.kind = "nvme",
					.memory_size = 1 << 20,
					.completer = PCIE_TPH_COMPLETER_TPH };
	struct pcie_fabric *fabric = pcie_fabric_new(NULL);

	function[0] = hca_function(hca_new(&hca, subnet_new(), wake, NULL));
	function[1] = endpoint_function(endpoint_new(&gpu));
	function[2] = endpoint_function(endpoint_new(&nvme));
	for (unsigned int i = 0; i < FUNCTIONS; i++)
		if (!function[i] || pcie_fabric_add(fabric, function[i]))
			abort();
}

static void wrong(const struct pcie_function *fn, const char *what, unsigned int value)
{
	finding("%s: %s: 0x%x", fn->name, what, value);
}

/* Both lists of capabilities end, within config space. */
static void check_lists(struct pcie_function *fn)
{
	uint8_t next[4];
	unsigned int at, hops;

	pcie_config_read(fn, 0x34, next, 1);
	for (at = next[0], hops = 0; at; at = next[0], hops++) {
		if (at < 0x40 || hops > 48)
			wrong(fn, "capability", at);
		pcie_config_read(fn, at + 1, next, 1);
	}
	for (at = 0x100, hops = 0; at; at = next[2] >> 4 | next[3] << 4, hops++) {
		if (at < 0x100 || at > PCIE_CONFIG_SIZE - 4 || hops > 960)
			wrong(fn, "extended capability", at);
		pcie_config_read(fn, at, next, 4);
	}
}

static void check_view(struct pcie_function *fn)
{
	size_t payload = pcie_max_payload(fn), request = pcie_max_read_request(fn);
	unsigned int width = pcie_tph_width(fn);

	if (payload < 128 || payload > 4096 || payload & (payload - 1))
		wrong(fn, "Max_Payload_Size", (unsigned int)payload);
	if (request < 128 || request > 4096 || request & (request - 1))
		wrong(fn, "Max_Read_Request_Size", (unsigned int)request);
	if (width && width != 8 && width != 16)
		wrong(fn, "ST width", width);
	if (pcie_tags(fn) != 32 && pcie_tags(fn) != 256)
		wrong(fn, "tags", pcie_tags(fn));
	for (unsigned int i = 0; i < PCIE_BARS; i++)
		if (fn->bar[i].size && pcie_bar_address(fn, i) % fn->bar[i].size)
			wrong(fn, "BAR", i);
}

/* What software cannot write is as it was built. */
static void check_fixed(const struct pcie_function *fn, const uint8_t *before)
{
	const struct pcie_config *c = &fn->config;

	for (unsigned int i = 0; i < PCIE_CONFIG_SIZE; i++)
		if ((c->bytes[i] ^ before[i]) & ~c->wmask[i])
			wrong(fn, "a read-only bit changed at", i);
}

static unsigned int place(const struct pcie_function *fn, struct input *in)
{
	unsigned int caps[] = { 4,
				0x10,
				0x18,
				fn->config.msix,
				fn->config.express,
				fn->config.pm,
				fn->config.tph,
				fn->config.tph + 8 };
	uint8_t which = input_u8(in);

	if (which >= 0x80)
		return input_u16(in) & 0x1fff;
	return caps[which & 7] + (which >> 3);
}

void target_input(const uint8_t *data, size_t size)
{
	static uint8_t before[FUNCTIONS][PCIE_CONFIG_SIZE];
	struct input in = input_of(data, size);
	struct pcie_function *fn;

	if (!function[0])
		set_up();
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		pcie_config_claim_st_entries(function[i], 0);
		pcie_function_reset(function[i], PCIE_RESET_CONVENTIONAL);
		memcpy(before[i], function[i]->config.bytes, PCIE_CONFIG_SIZE);
	}
	while (!input_done(&in)) {
		uint8_t what = input_u8(&in), buf[256], len = input_u8(&in) & 63;
		unsigned int bar = input_below(&in, PCIE_BARS), access = 1u << (len & 3);
		uint64_t offset;

		fn = function[what % FUNCTIONS];
		switch (what >> 5) {
		default:
			input_bytes(&in, buf, len);
			pcie_config_write(fn, place(fn, &in), buf, len);
			break;
		case 4:
			pcie_config_read(fn, place(fn, &in), buf, len);
			break;
		case 5:
			offset = input_u32(&in) & (fn->bar[bar].size - 1) & ~(uint64_t)(access - 1);
			if (fn->bar[bar].size)
				fn->ops->bar_write(fn, bar, offset, access, input_u64(&in));
			break;
		case 6:
			offset = input_u32(&in) & (fn->bar[bar].size - 1) & ~(uint64_t)(access - 1);
			if (fn->bar[bar].size)
				fn->ops->bar_read(fn, bar, offset, access);
			break;
		case 7:
			if (what & 0x10)
				pcie_function_reset(fn, what & 8 ? PCIE_RESET_FLR
								 : PCIE_RESET_CONVENTIONAL);
			else
				pcie_config_claim_st_entries(fn,
							     input_u8(&in) % (PCIE_ST_ENTRIES + 1));
			break;
		}
		check_view(fn);
		check_lists(fn);
	}
	for (unsigned int i = 0; i < FUNCTIONS; i++)
		check_fixed(function[i], before[i]);
}

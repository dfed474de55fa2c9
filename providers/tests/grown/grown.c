// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs and libraries whose structures for TPH differ in size: built with libibverbs/cmd_tph.c
 * and a verbs.h in which both structures have a further member, "later", which this library fills,
 * as a later one may. The kernel is a function below.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <infiniband/cmd_write.h>

#define OLD_ATTR offsetof(struct ibv_mr_tph_attr, later)
#define OLD_CAPS offsetof(struct ibv_tph_caps, later)

static int failed;

static void check(int ok, const char *what)
{
	printf("%s %s\n", ok ? "pass" : "fail", what);
	failed |= !ok;
}

/* Answers each output with bytes that are not 0. */
int execute_ioctl(struct ibv_context *context, struct ibv_command_buffer *cmdb)
{
	struct ib_uverbs_attr *attr;

	(void)context;
	for (attr = cmdb->hdr.attrs; attr != cmdb->next_attr; attr++)
		if (attr->flags & UVERBS_ATTR_F_MANDATORY && attr->len)
			memset((void *)(uintptr_t)attr->data, 1, attr->len);
	return 0;
}

/* What is behind @from in @bytes is @value. */
static int rest(const unsigned char *bytes, size_t from, size_t size, unsigned char value)
{
	while (from < size && bytes[from] == value)
		from++;
	return from == size;
}

int main(void)
{
	struct ibv_context context = { .cmd_fd = 0 };
	struct verbs_mr mr = { .ibv_mr = { .context = &context, .handle = 1 },
			       .mr_type = IBV_MR_TYPE_MR };
	struct {
		union {
			struct ibv_mr_tph_attr attr;
			struct ibv_tph_caps caps;
		} u;
		unsigned char more[16];
	} buf;
	unsigned char *bytes = (unsigned char *)&buf;

	memset(&buf, 0x5a, sizeof(buf));
	check(!_ibv_query_mr_tph(&mr.ibv_mr, &buf.u.attr, OLD_ATTR),
	      "an old program asks for an MR");
	check(buf.u.attr.steering_tag == 0x101 && buf.u.attr.st_width == 1,
	      "its members are filled");
	check(rest(bytes, OLD_ATTR, sizeof(buf), 0x5a), "and nothing behind them is written");
	memset(&buf, 0x5a, sizeof(buf));
	check(!_ibv_query_tph_caps(&context, &buf.u.caps, OLD_CAPS),
	      "an old program asks for capabilities");
	check(buf.u.caps.max_tags == 0x1010101 && buf.u.caps.st_width == 1,
	      "its members are filled");
	check(rest(bytes, OLD_CAPS, sizeof(buf), 0x5a), "and nothing behind them is written");

	memset(&buf, 0x5a, sizeof(buf));
	check(!_ibv_query_mr_tph(&mr.ibv_mr, &buf.u.attr, sizeof(buf)),
	      "a program that is newer still asks for an MR");
	check(rest(bytes, sizeof(buf.u.attr), sizeof(buf), 0),
	      "what the library does not know is 0");
	memset(&buf, 0x5a, sizeof(buf));
	check(!_ibv_query_tph_caps(&context, &buf.u.caps, sizeof(buf)), "and for capabilities");
	check(rest(bytes, sizeof(buf.u.caps), sizeof(buf), 0),
	      "what the library does not know is 0");

	memset(&buf, 0x5a, sizeof(buf));
	check(_ibv_query_mr_tph(&mr.ibv_mr, &buf.u.attr, OLD_ATTR - 1) == EINVAL &&
		      _ibv_query_tph_caps(&context, &buf.u.caps, OLD_CAPS - 1) == EINVAL &&
		      rest(bytes, 0, sizeof(buf), 0x5a),
	      "structures that never were are refused");
	return failed;
}

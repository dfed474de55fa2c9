/* SPDX-License-Identifier: GPL-2.0-only */
/* The kinds of endpoints, by number and by name: rows of ENDPOINT_KINDS in model.h. */
#include <string.h>

#include "endpoints/model.h"

static const struct endpoint_kind *const kinds[] = {
#define KIND(name) &endpoint_##name,
	ENDPOINT_KINDS(KIND)
#undef KIND
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
_Static_assert(KINDS <= ENDPOINT_KINDS_MAX, "who lists them has no room for all");

const struct endpoint_kind *endpoint_kind(unsigned int i)
{
	return i < KINDS ? kinds[i] : NULL;
}

const struct endpoint_kind *endpoint_kind_named(const char *name)
{
	for (unsigned int i = 0; i < KINDS; i++)
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

const char *endpoint_kind_name(const struct endpoint_kind *kind)
{
	return kind->name;
}

const char *endpoint_kind_about(const struct endpoint_kind *kind)
{
	return kind->about;
}

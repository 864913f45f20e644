/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FLOWTUN_STAT_H
#define FLOWTUN_STAT_H

#include "nl.h"

/**
 * struct stat_list - all counters, in the module's order
 * @count: how many
 * @list:  each
 */
struct stat_list {
	unsigned int	count;
	struct stat_entry {
		char		name[32];
		char		text[128];
		uint64_t	value;
	} list[128];
};

/* Returns 0 or -errno. */
int stats_read(struct nl *nl, struct stat_list *stats);
const struct stat_entry *stats_find(const struct stat_list *stats,
				    const char *name);

/* What can be done about it; "" if nothing is known. Written by scripts/counters-doc. */
const char *advice(const char *name);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FLOWTUN_TUNNEL_H
#define FLOWTUN_TUNNEL_H

#include <net/if.h>

#include "nl.h"

#define TUNNELS_MAX	4096

/**
 * struct tunnel - a tunnel device
 * @ifindex: its number
 * @name:    its name
 * @reason:  why no connection in it is fast, or ""
 * @rx_fast: packets that the fast path took out of it
 * @tx_fast: packets that it put into it
 * @rx:      all packets out of it since the module knows it
 * @tx:      all packets into it
 * @armed:   directions on the fast path
 * @slow:    other directions
 */
struct tunnel {
	uint32_t	ifindex;
	char		name[IF_NAMESIZE];
	char		reason[32];
	uint64_t	rx_fast;
	uint64_t	tx_fast;
	uint64_t	rx;
	uint64_t	tx;
	uint32_t	armed;
	uint32_t	slow;
};

void tunnel_read(struct tunnel *tunnel, const struct nlmsghdr *nlh);
void tunnel_json(const struct tunnel *tunnel);
void tunnels_head(void);
void tunnel_print(const struct tunnel *tunnel);

/* One by name. Returns 0 or -errno, without a message. */
int tunnel_get(struct nl *nl, const char *name, struct tunnel *tunnel);

#endif

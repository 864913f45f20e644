/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_HOP_H
#define _FTUN_HOP_H

#include <linux/types.h>

#include "stats.h"

struct ftun_route;
struct net_device;

/**
 * struct ftun_hop - the neighbour inside of a multipoint tunnel that packets go by
 * @addr: its address, as it is looked up by; of IPv4 the first word
 * @v6:   it is an IPv6 address
 */
struct ftun_hop {
	__be32	addr[4];
	bool	v6;
};

void ftun_hop_set(struct ftun_hop *hop, const struct ftun_route *route, bool v6,
		  const void *daddr);
enum ftun_stat ftun_hop_check(const struct ftun_hop *hop, struct net_device *dev,
			      __be32 end);

#endif /* _FTUN_HOP_H */

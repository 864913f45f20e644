// SPDX-License-Identifier: GPL-2.0
/*
 * A GRE device without a remote end has neighbours, and what they have for a link-layer
 * address is where their packets go: ipgre_header(). Users and NHRP daemons move them at
 * any time, and nobody is told. So each packet looks its neighbour up, as it would on
 * the slow path. No reference is kept: while somebody has one, who deletes the entry
 * leaves it in the table, where it is resolved instead of being made anew.
 */
#include "hop.h"

#include <linux/netdevice.h>
#include <net/arp.h>
#include <net/ip6_route.h>
#include <net/ndisc.h>
#include <net/neighbour.h>
#include <net/route.h>

#include "hot.h"
#include "route.h"

static void hop_set6(struct ftun_hop *hop, const void *addr)
{
	hop->v6 = true;
	memcpy(hop->addr, addr, sizeof(hop->addr));
}

static void hop_set4(struct ftun_hop *hop, const struct rtable *rt, __be32 daddr)
{
	if (rt->rt_gw_family == AF_INET6)
		hop_set6(hop, &rt->rt_gw6);
	else
		hop->addr[0] = rt_nexthop(rt, daddr);
}

/**
 * ftun_hop_set() - whom does a route lead to?
 * @hop:   all zero; filled in
 * @route: inner route
 * @v6:    it is an IPv6 route, not IPv4
 * @daddr: where the packets on it go
 *
 * What ip_finish_output2() and ip6_finish_output2() look up.
 */
void ftun_hop_set(struct ftun_hop *hop, const struct ftun_route *route, bool v6,
		  const void *daddr)
{
	const struct dst_entry *dst = route->dst;

	if (v6)
		hop_set6(hop, rt6_nexthop(container_of(dst, struct rt6_info, dst),
					  daddr));
	else
		hop_set4(hop, container_of(dst, struct rtable, dst),
			 *(const __be32 *)daddr);
}

static struct neighbour *hop_neigh(const struct ftun_hop *hop,
				   struct net_device *dev)
{
	return hop->v6 ? __ipv6_neigh_lookup_noref(dev, hop->addr) :
			 __ipv4_neigh_lookup_noref(dev, (__force u32)hop->addr[0]);
}

/* neigh_ha_snapshot(): it may be changing just now. */
static bool neigh_is_at(const struct neighbour *neigh, __be32 end)
{
	unsigned int seq;
	bool same;

	do {
		seq = read_seqbegin(&neigh->ha_lock);
		same = READ_ONCE(*(const __be32 *)neigh->ha) == end;
	} while (read_seqretry(&neigh->ha_lock, seq));
	return same;
}

/**
 * ftun_hop_check() - do packets still go to this end of the tunnel?
 * @hop: whom they go by
 * @dev: GRE device
 * @end: outer destination that was proven
 *
 * A neighbour that is connected is nothing to neigh_connected_output() but its address.
 * In any other state the slow path has something to do with it: neigh_event_send().
 *
 * Context: BH off, RCU read side.
 * Return: FTUN_OK; FTUN_STAT_pass_tunnel_neigh until it is connected again; or
 * FTUN_STAT_pass_neigh if it is another one.
 */
__ftun_hot enum ftun_stat ftun_hop_check(const struct ftun_hop *hop,
					 struct net_device *dev, __be32 end)
{
	const struct neighbour *neigh = hop_neigh(hop, dev);

	WARN_ON_ONCE(!rcu_read_lock_held());
	if (!neigh)
		return FTUN_STAT_pass_neigh;
	if (!(READ_ONCE(neigh->nud_state) & NUD_CONNECTED))
		return FTUN_STAT_pass_tunnel_neigh;
	return neigh_is_at(neigh, end) ? FTUN_OK : FTUN_STAT_pass_neigh;
}

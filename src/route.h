/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_ROUTE_H
#define _FTUN_ROUTE_H

#include <linux/inetdevice.h>
#include <net/dst.h>
#include <net/ip6_fib.h>
#include <net/net_namespace.h>
#include <net/route.h>

#include "stats.h"

struct neighbour;
struct net_device;
struct sk_buff;

/**
 * struct ftun_route - a route as a proof found it
 *
 * The kernel writes what it learns of a path to the route that is in use, too:
 * fill_route_from_fnhe(), rt6_do_update_pmtu().
 *
 * @dst:    with a reference; NULL if there is none
 * @learned: ftun_route_learned4() or ftun_route_learned6()
 */
struct ftun_route {
	struct dst_entry	*dst;
	u32			learned;
};

/* The learned path MTU of an IPv4 route, and in the last bit whether it is locked:
 * packets may be fragmented, since it is below the least. As both are in the route.
 */
static inline u32 ftun_route_learned4(const struct rtable *rt)
{
	return rt->rt_pmtu << 1 | rt->rt_mtu_locked;
}

/* The MTU that an IPv6 route has of its own, where tunnel drivers write theirs to it,
 * too: tnl_update_pmtu()
 */
static inline u32 ftun_route_learned6(const struct dst_entry *dst)
{
	return dst_metric_raw(dst, RTAX_MTU);
}

/*
 * Would the slow path still get this very route, with this MTU? Whatever changes in the
 * routing tables moves the namespace's generation on, which is asked about once for all
 * routes of a path, see renew.c. This is about the rest.
 *
 * A learned path MTU kills the route, or is written to it: ipv4_dst_check().
 */
static inline bool ftun_route_current4(const struct ftun_route *route)
{
	const struct rtable *rt = container_of(route->dst, struct rtable, dst);

	return READ_ONCE(rt->dst.obsolete) == DST_OBSOLETE_FORCE_CHK &&
	       ftun_route_learned4(rt) == route->learned;
}

static inline bool ftun_route_expired6(const struct rt6_info *rt,
				       const struct fib6_info *from)
{
	return (rt->rt6i_flags & RTF_EXPIRES &&
		time_after(jiffies, READ_ONCE(rt->dst.expires))) ||
	       fib6_check_expired(from);
}

/* As ip6_dst_check() does, which is a call. */
static inline bool ftun_route_current6(const struct ftun_route *route)
{
	const struct rt6_info *rt = container_of(route->dst, struct rt6_info, dst);
	const struct fib6_info *from = rcu_dereference(rt->from);

	return from && READ_ONCE(rt->dst.obsolete) == DST_OBSOLETE_FORCE_CHK &&
	       ftun_route_learned6(&rt->dst) == route->learned &&
	       !ftun_route_expired6(rt, from);
}

static inline bool ftun_route_current(const struct ftun_route *route, bool v6)
{
	return v6 ? ftun_route_current6(route) : ftun_route_current4(route);
}

/**
 * ftun_route_redirects() - may the router tell senders of a better next hop?
 * @dev: device that packets come in by, and leave by
 * @v6:  they are IPv6, not IPv4
 *
 * ip_forward() and ip6_forward(); how often they do follows the clock.
 *
 * Context: RCU read side.
 */
static inline bool ftun_route_redirects(const struct net_device *dev, bool v6)
{
	const struct in_device *in_dev = __in_dev_get_rcu(dev);

	return v6 || !in_dev || IN_DEV_TX_REDIRECTS(in_dev);
}

void ftun_route_set(struct ftun_route *route, struct dst_entry *dst, bool v6);
enum ftun_stat ftun_route_check(const struct dst_entry *dst, bool v6);
bool ftun_route_crosses(const struct ftun_route *route);
bool ftun_route_get(struct ftun_route *route, struct dst_entry *dst, bool v6);
bool ftun_route_hold(struct ftun_route *route, const struct ftun_route *from);
void ftun_route_put(struct ftun_route *route);
u32 ftun_route_mtu(const struct ftun_route *route);
u32 ftun_route_forward_mtu(const struct ftun_route *route, bool v6);
bool ftun_route_learned_mtu(const struct ftun_route *route, bool v6);
bool ftun_route_several6(const struct dst_entry *dst);
bool ftun_route_by_label(const struct net *net, const struct ftun_route *route);
struct neighbour *ftun_route_neigh(const struct ftun_route *route,
				   const void *ip, bool v6);

#endif /* _FTUN_ROUTE_H */

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
 * @dst:    with a reference; NULL if there is none
 * @cookie: what tells whether it is still good: the learned path MTU of an IPv4
 *          route, the cookie of an IPv6 one
 * @genid:  rt_genid_ipv6() at that time; an IPv4 route has none
 */
struct ftun_route {
	struct dst_entry	*dst;
	u32			cookie;
	u32			genid;
};

/*
 * Would the slow path still get this very route, with this MTU? A learned path MTU
 * kills the route or is written to it, see ipv4_dst_check(). Every change of IPv4
 * routes, addresses, rules and forwarding sysctls makes rt_genid_ipv4() move on: that
 * is asked once for all routes of a path, see renew.c.
 */
static inline bool ftun_route_current4(const struct ftun_route *route)
{
	const struct rtable *rt = container_of(route->dst, struct rtable, dst);

	return READ_ONCE(rt->dst.obsolete) == DST_OBSOLETE_FORCE_CHK &&
	       rt->rt_pmtu == route->cookie;
}

/* The plain case of ip6_dst_check(), which is a call and two more: of the table, and not
 * expiring. "No" means that the kernel has to be asked.
 */
static inline bool ftun_route_surely6(const struct ftun_route *route)
{
	const struct rt6_info *rt = container_of(route->dst, struct rt6_info, dst);
	const struct fib6_info *from = rcu_dereference(rt->from);
	u32 cookie;

	return from && !rt->sernum &&
	       !((rt->rt6i_flags | from->fib6_flags) & RTF_EXPIRES) &&
	       READ_ONCE(rt->dst.obsolete) == DST_OBSOLETE_FORCE_CHK &&
	       fib6_get_cookie_safe(from, &cookie) && cookie == route->cookie;
}

/* New addresses and IPsec policies make rt_genid_ipv6() move on, and only them: a
 * route that changed is one whose cookie is stale.
 */
static inline bool ftun_route_current6(const struct net *net,
				       const struct ftun_route *route)
{
	return route->genid == rt_genid_ipv6(net) &&
	       (ftun_route_surely6(route) ||
		dst_check(route->dst, route->cookie));
}

static inline bool ftun_route_current(const struct net *net,
				      const struct ftun_route *route, bool v6)
{
	return v6 ? ftun_route_current6(net, route)
		  : ftun_route_current4(route);
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

enum ftun_stat ftun_route_check(const struct dst_entry *dst, bool v6);
void ftun_route_get(struct ftun_route *route, struct dst_entry *dst, bool v6,
		    u32 genid6);
bool ftun_route_hold(struct ftun_route *route, const struct ftun_route *from);
void ftun_route_put(struct ftun_route *route);
u32 ftun_route_mtu(const struct ftun_route *route);
u32 ftun_route_forward_mtu(const struct ftun_route *route, bool v6);
bool ftun_route_learned_mtu(const struct ftun_route *route, bool v6);
struct neighbour *ftun_route_neigh(const struct ftun_route *route,
				   const void *ip, bool v6);

#endif /* _FTUN_ROUTE_H */

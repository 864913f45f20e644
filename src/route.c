// SPDX-License-Identifier: GPL-2.0
/* Routes of both address families, alike as far as the module is concerned. */
#include "route.h"

#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/arp.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ndisc.h>
#include <net/neighbour.h>
#include <net/nexthop.h>

#include "compat/route.h"

static const struct rtable *route4(const struct dst_entry *dst)
{
	return container_of(dst, struct rtable, dst);
}

static const struct rt6_info *route6(const struct dst_entry *dst)
{
	return container_of(dst, struct rt6_info, dst);
}

static bool unicast4(const struct rtable *rt)
{
	return rt->rt_type == RTN_UNICAST;
}

static bool unicast6(const struct rt6_info *rt)
{
	return !(rt->rt6i_flags & (RTF_REJECT | RTF_LOCAL | RTF_ANYCAST));
}

/**
 * ftun_route_check() - can packets on this route be sent by the fast path?
 * @dst: a route that the slow path used
 * @v6:  it is an IPv6 route, not IPv4
 *
 * But for what it says about a tunnel's header: see metadata.c.
 *
 * Return: FTUN_OK or why not.
 */
enum ftun_stat ftun_route_check(const struct dst_entry *dst, bool v6)
{
#ifdef CONFIG_XFRM
	if (dst->xfrm)
		return FTUN_STAT_refuse_ipsec;
#endif
#ifdef CONFIG_IP_ROUTE_CLASSID
	/* A realm, for which ip_rcv_finish_core() keeps counters out of our reach. */
	if (dst->tclassid)
		return FTUN_STAT_refuse_route;
#endif
	if (v6 ? !unicast6(route6(dst)) : !unicast4(route4(dst)))
		return FTUN_STAT_refuse_route;
	if (v6 && route_fragments_all(dst))
		return FTUN_STAT_refuse_route;
	return FTUN_OK;
}

/* Is its next hop IPv6, though it is an IPv4 route? */
bool ftun_route_crosses(const struct ftun_route *route)
{
	return route4(route->dst)->rt_gw_family == AF_INET6;
}

/* What the kernel may write to it later is noted. */
void ftun_route_set(struct ftun_route *route, struct dst_entry *dst, bool v6)
{
	route->dst = dst;
	route->learned = v6 ? ftun_route_learned6(dst) :
			      ftun_route_learned4(route4(dst));
}

/**
 * ftun_route_get() - keep a route
 * @route: where; empty before, and after a failure
 * @dst:   a route that the slow path used; a reference is taken
 * @v6:    it is an IPv6 route, not IPv4
 *
 * Context: RCU read side.
 * Return: false if it is about to be freed: a packet that comes in has no reference.
 */
bool ftun_route_get(struct ftun_route *route, struct dst_entry *dst, bool v6)
{
	if (!dst_hold_safe(dst))
		return false;
	ftun_route_set(route, dst, v6);
	return true;
}

/**
 * ftun_route_hold() - keep a route that was found before
 * @route: where; empty before, and after a failure
 * @from:  the route, or none
 *
 * Context: RCU read side, under which it was found.
 * Return: false if it is about to be freed.
 */
bool ftun_route_hold(struct ftun_route *route, const struct ftun_route *from)
{
	if (from->dst && !dst_hold_safe(from->dst))
		return false;
	*route = *from;
	return true;
}

void ftun_route_put(struct ftun_route *route)
{
	dst_release(route->dst);
	route->dst = NULL;
}

/* Longest packet that the router's own packets on this route may be. */
u32 ftun_route_mtu(const struct ftun_route *route)
{
	return dst_mtu(route->dst);
}

/* Longest packet that is forwarded on this route. */
u32 ftun_route_forward_mtu(const struct ftun_route *route, bool v6)
{
	return v6 ? ip6_dst_mtu_maybe_forward(route->dst, true)
		  : ip_dst_mtu_maybe_forward(route->dst, true);
}

/* Is the MTU one that was learned, and may expire without notice? */
bool ftun_route_learned_mtu(const struct ftun_route *route, bool v6)
{
	return !v6 && route->dst && route4(route->dst)->rt_pmtu;
}

/* Has an IPv6 route several next hops? RCU read side. */
bool ftun_route_several6(const struct dst_entry *dst)
{
	const struct fib6_info *from = rcu_dereference(route6(dst)->from);

	return !from || READ_ONCE(from->fib6_nsiblings) ||
	       (from->nh && nexthop_num_path(from->nh) > 1);
}

/**
 * ftun_route_by_label() - may the flow label have had a say in this IPv6 route?
 * @net:   where
 * @route: the route
 *
 * It has among several next hops, see ip6_multipath_l3_keys(), and with newer kernels'
 * rules.
 *
 * Context: RCU read side.
 */
bool ftun_route_by_label(const struct net *net, const struct ftun_route *route)
{
	return fib6_has_custom_rules(net) || ftun_route_several6(route->dst);
}

static struct neighbour *neigh4(const struct rtable *rt, __be32 daddr)
{
	return ip_neigh_gw4(rt->dst.dev, rt_nexthop(rt, daddr));
}

static struct neighbour *neigh6(const struct rt6_info *rt,
				const struct in6_addr *daddr)
{
	return __ipv6_neigh_lookup_noref(rt->dst.dev,
					 rt6_nexthop(rt, (struct in6_addr *)daddr));
}

/**
 * ftun_route_neigh() - the next hop
 * @route: where a packet goes
 * @ip:    its IP header
 * @v6:    the header and the route are IPv6, not IPv4
 *
 * Context: BH off, RCU read side.
 * Return: the neighbour, without a reference; NULL or an error if there is none.
 */
struct neighbour *ftun_route_neigh(const struct ftun_route *route,
				   const void *ip, bool v6)
{
	return v6 ? neigh6(route6(route->dst),
			   &((const struct ipv6hdr *)ip)->daddr)
		  : neigh4(route4(route->dst),
			   ((const struct iphdr *)ip)->daddr);
}

// SPDX-License-Identifier: GPL-2.0
/* IPv6's routes, asked for again. */
#include "ask.h"

#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/addrconf.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ip6_tunnel.h>
#include <net/neighbour.h>

#include "metadata.h"
#include "way.h"

/* Each CPU has its own copy of a route. */
#define SAME_FLAGS	(~(RTF_PCPU | RTF_EXPIRES | RTF_MODIFIED))

static struct rt6_info *route6(struct dst_entry *dst)
{
	return container_of(dst, struct rt6_info, dst);
}

/* All that the path was built from, but for the device: the old route may have lost
 * it to its successor. A learned path MTU makes a route of its own.
 */
static bool same_route(const struct rt6_info *old, const struct rt6_info *new)
{
	if (old == new)
		return true;
	return new->dst.lwtstate == old->dst.lwtstate &&
	       !((old->rt6i_flags | new->rt6i_flags) & RTF_CACHE) &&
	       !((old->rt6i_flags ^ new->rt6i_flags) & SAME_FLAGS) &&
	       ipv6_addr_equal(&old->rt6i_gateway, &new->rt6i_gateway) &&
	       dst_metric_raw(&new->dst, RTAX_LOCK) ==
	       dst_metric_raw(&old->dst, RTAX_LOCK);
}

/* Which of several next hops a packet takes may depend on more than is known here. */
static bool one_way(const struct rt6_info *rt)
{
	return !rt->dst.error && !ftun_route_several6(&rt->dst);
}

/* Rules that look a packet's source up (fib, rpfilter) have said yes to it. If an
 * answer would leave by the device that the packet came in by, they still do.
 */
static bool comes_from(struct net *net, const struct ftun_question *ask)
{
	struct flowi6 fl6 = { .daddr = *(const struct in6_addr *)ask->saddr };
	struct dst_entry *dst = ip6_route_output(net, NULL, &fl6);
	bool so = one_way(route6(dst)) && dst->dev == ask->dev;

	dst_release(dst);
	return so;
}

/* The route of a packet that comes in. */
static struct rt6_info *ask_input(struct net *net, struct sk_buff *skb,
				  const struct ftun_question *ask)
{
	struct flowi6 fl6 = {
		.flowi6_iif	= ask->dev->ifindex,
		.daddr		= *(const struct in6_addr *)ask->daddr,
		.saddr		= *(const struct in6_addr *)ask->saddr,
	};
	struct dst_entry *dst;

	skb_set_network_header(skb, ask->off);
	dst = ip6_route_input_lookup(net, ask->dev, &fl6, skb,
				     RT6_LOOKUP_F_HAS_SADDR |
				     RT6_LOOKUP_F_DST_NOREF);
	skb_reset_network_header(skb);
	return route6(dst);
}

/* The path is to keep the route that the kernel has now, which hears of a path MTU. */
static bool adopt(struct ftun_route *route, struct rt6_info *new,
		  const struct net_device *dev)
{
	if (!one_way(new) || ftun_route_check(&new->dst, true) != FTUN_OK ||
	    new->dst.dev != dev || !same_route(route6(route->dst), new) ||
	    ftun_route_learned6(&new->dst) != route->learned)
		return false;
	ftun_route_set(route, &new->dst, true);
	return true;
}

/**
 * ftun_ask6_input() - is a packet that comes in still routed so?
 * @net:   where
 * @skb:   the packet, at a netdev ingress hook; as it was afterwards
 * @ask:   what is asked
 * @out:   the device that it left by
 * @route: its route; becomes the one that the kernel has now
 *
 * What ip6_route_input() asks.
 *
 * Context: BH off, RCU read side, under which the route can be used.
 */
bool ftun_ask6_input(struct net *net, struct sk_buff *skb,
		     const struct ftun_question *ask,
		     const struct net_device *out, struct ftun_route *route)
{
	return comes_from(net, ask) &&
	       adopt(route, ask_input(net, skb, ask), out);
}

static bool is_ours(struct net *net, const struct in6_addr *addr,
		    const struct net_device *link, bool any_link)
{
	return ipv6_chk_addr_and_flags(net, addr, link, any_link, 0,
				       IFA_F_TENTATIVE);
}

/* What ip6_tnl_xmit_ctl() and ip6_tnl_rcv_ctl() have in common, which are in a module that
 * need not be there.
 */
static bool ends_right(struct net *net, const struct __ip6_tnl_parm *parms,
		       const void *here, const void *there)
{
	const struct net_device *link = NULL;

	if (parms->link)
		link = dev_get_by_index_rcu(net, parms->link);
	return is_ours(net, here, link, false) &&
	       (parms->flags & IP6_TNL_F_ALLOW_LOCAL_REMOTE ||
		!is_ours(net, there, link, true));
}

/* ipxip6_rcv() asks the addresses too, ip6gre_rcv() does not. */
static bool takes(struct net *net, const struct net_device *tunnel,
		  const struct ftun_question *ask)
{
	const struct ip6_tnl *ip6t = netdev_priv(tunnel);

	return tunnel->type == ARPHRD_IP6GRE ||
	       ends_right(net, &ip6t->parms, ask->daddr, ask->saddr);
}

/**
 * ftun_ask6_local() - is a packet that comes in still for a tunnel of the router's?
 * @net:    where
 * @skb:    the packet, at a netdev ingress hook; as it was afterwards
 * @ask:    what is asked
 * @tunnel: the tunnel
 *
 * Context: BH off, RCU read side.
 */
bool ftun_ask6_local(struct net *net, struct sk_buff *skb,
		     const struct ftun_question *ask,
		     const struct net_device *tunnel)
{
	const struct rt6_info *rt;

	if (!comes_from(net, ask) || !takes(net, tunnel, ask))
		return false;
	rt = ask_input(net, skb, ask);
	return !rt->dst.error && rt->rt6i_flags & RTF_LOCAL;
}

/* Of an external tunnel nobody asks whether it ends here. __gre6_xmit() does not look at
 * the source in the metadata.
 */
static bool output_flow(struct net *net, const struct ftun_way *way,
			struct flowi6 *fl6)
{
	const struct ip_tunnel_info *info = ftun_metadata(way->route.dst);
	const struct ip6_tnl *tunnel = netdev_priv(way->tun_out);
	const struct ipv6hdr *ip6h = (const void *)way->outer.hdr;

	fl6->daddr = ip6h->daddr;
	if (info) {
		if (!way->outer.gre)
			fl6->saddr = info->key.u.ipv6.src;
		return true;
	}
	fl6->flowi6_oif = tunnel->parms.link;
	fl6->saddr = ip6h->saddr;
	return ends_right(net, &tunnel->parms, &ip6h->saddr, &ip6h->daddr);
}

/* Where the metadata says nothing of a source, it is one of the device's. */
static bool same_source(struct net *net, const struct ftun_way *way,
			const struct dst_entry *dst, struct flowi6 *fl6)
{
	const struct ipv6hdr *ip6h = (const void *)way->outer.hdr;

	if (ipv6_addr_any(&fl6->saddr) &&
	    (dst->error ||
	     ipv6_dev_get_saddr(net, dst->dev, &fl6->daddr, 0, &fl6->saddr)))
		return false;
	return ipv6_addr_equal(&fl6->saddr, &ip6h->saddr);
}

/**
 * ftun_ask6_output() - do a tunnel's packets still leave so?
 * @net:   where
 * @way:   theirs
 * @route: becomes the one that the kernel has now
 *
 * What ip6_tnl_xmit() asks.
 *
 * Context: BH off, RCU read side, under which the route can be used.
 */
bool ftun_ask6_output(struct net *net, const struct ftun_way *way,
		      struct ftun_route *route)
{
	struct flowi6 fl6 = {};
	struct dst_entry *dst;
	bool same;

	if (!output_flow(net, way, &fl6))
		return false;
	dst = ip6_route_output(net, NULL, &fl6);
	same = same_source(net, way, dst, &fl6) &&
	       adopt(route, route6(dst), way->neigh->dev);
	/* Still there until the end of the RCU read side. */
	dst_release(dst);
	return same;
}

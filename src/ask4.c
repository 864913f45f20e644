// SPDX-License-Identifier: GPL-2.0
/* IPv4's routes, asked for again. */
#include "ask.h"

#include <linux/if_arp.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ip_fib.h>
#include <net/ip_tunnels.h>
#include <net/neighbour.h>
#include <net/nexthop.h>
#include <net/route.h>

#include "compat/route.h"
#include "metadata.h"
#include "way.h"

static u32 route_mtu(const struct rtable *rt, const struct net_device *dev)
{
	return rt->rt_pmtu ?: dst_metric_raw(&rt->dst, RTAX_MTU) ?: dev->mtu;
}

/* Tunnel drivers tell a route an MTU that it has anyway, so that which of the two is
 * learned means nothing; but one that has expired is none that the path knows.
 */
static bool same_mtu(const struct rtable *old, const struct rtable *new)
{
	const struct net_device *dev = new->dst.dev;

	return new->rt_mtu_locked == old->rt_mtu_locked &&
	       dst_metric_raw(&new->dst, RTAX_MTU) ==
	       dst_metric_raw(&old->dst, RTAX_MTU) &&
	       dst_metric_raw(&new->dst, RTAX_LOCK) ==
	       dst_metric_raw(&old->dst, RTAX_LOCK) &&
	       route_mtu(new, dev) == route_mtu(old, dev) &&
	       !(old->rt_pmtu && time_after_eq(jiffies, old->dst.expires));
}

static bool same_gateway(const struct rtable *old, const struct rtable *new)
{
	if (new->rt_gw_family != old->rt_gw_family)
		return false;
	return new->rt_gw_family == AF_INET6 ?
		ipv6_addr_equal(&new->rt_gw6, &old->rt_gw6) :
		new->rt_gw4 == old->rt_gw4;
}

/* All that the path was built from, but for the device: the old route may have lost
 * it to its successor. dst_dev_put() leaves the rest alone.
 */
static bool same_route(const struct rtable *old, const struct rtable *new)
{
	return new->dst.lwtstate == old->dst.lwtstate &&
#ifdef CONFIG_IP_ROUTE_CLASSID
	       new->dst.tclassid == old->dst.tclassid &&
#endif
	       new->rt_type == old->rt_type &&
	       new->rt_flags == old->rt_flags &&
	       new->rt_is_input == old->rt_is_input &&
	       new->rt_uses_gateway == old->rt_uses_gateway &&
	       same_gateway(old, new) && same_mtu(old, new);
}

/* Which of several next hops a packet takes may depend on more than is known here. */
static bool one_way(struct net *net, struct flowi4 *fl4)
{
	struct fib_result res;

	return !fib_lookup(net, fl4, &res, 0) &&
	       (!res.fi || fib_info_num_path(res.fi) == 1);
}

static bool answers_leave_by(struct net *net, const struct ftun_question *ask, u8 tos)
{
	struct fib_result res;
	struct flowi4 fl4 = {};

	flowi4_init_output(&fl4, 0, 0, tos, RT_SCOPE_UNIVERSE, 0, 0, *ask->saddr,
			   0, 0, 0, GLOBAL_ROOT_UID);
	return !fib_lookup(net, &fl4, &res, 0) && res.type == RTN_UNICAST &&
	       fib_info_num_path(res.fi) == 1 &&
	       fib_info_nh_uses_dev(res.fi, ask->dev);
}

/* Rules that look a packet's source up (fib, rpfilter) have said yes to it. If an
 * answer would come by the device that the packet came in by, they still do. nftables
 * asks with all of the DSCP.
 */
static bool comes_from(struct net *net, const struct ftun_question *ask)
{
	u8 dscp = ask->tos & INET_DSCP_MASK;
	u8 tos = ask->tos & ROUTE_TOS_MASK;

	return answers_leave_by(net, ask, tos) &&
	       (dscp == tos || answers_leave_by(net, ask, dscp));
}

static void input_flow(struct flowi4 *fl4, const struct ftun_question *ask, u32 mark)
{
	flowi4_init_output(fl4, 0, mark, ask->tos & ROUTE_TOS_MASK,
			   RT_SCOPE_UNIVERSE, 0, 0, *ask->daddr, *ask->saddr, 0,
			   0, GLOBAL_ROOT_UID);
	fl4->flowi4_iif = ask->dev->ifindex;
}

/* The route of a packet that comes in, attached to @skb until skb_dst_drop(). */
static struct rtable *ask_input(struct net *net, struct sk_buff *skb,
				const struct ftun_question *ask)
{
	__be16 protocol = skb->protocol;
	struct flowi4 fl4 = {};
	bool found;

	input_flow(&fl4, ask, 0);
	if (!one_way(net, &fl4) || !comes_from(net, ask))
		return NULL;
	skb_set_network_header(skb, ask->off);
	skb->protocol = htons(ETH_P_IP);
	found = !ip_route_input_noref(skb, *ask->daddr, *ask->saddr,
				      inet_dsfield_to_dscp(ask->tos),
				      ask->dev);
	skb->protocol = protocol;
	skb_reset_network_header(skb);
	return found ? skb_rtable(skb) : NULL;
}

/* The path is to keep the route that the kernel has now, which hears of a path MTU. */
static bool adopt(struct ftun_route *route, struct rtable *new,
		  const struct net_device *dev)
{
	const struct rtable *old = container_of(route->dst, struct rtable, dst);

	if (ftun_route_check(&new->dst, false) != FTUN_OK || new->dst.error ||
	    new->dst.dev != dev || !same_route(old, new))
		return false;
	ftun_route_set(route, &new->dst, false);
	return true;
}

/**
 * ftun_ask4_input() - is a packet that comes in still routed so?
 * @net:   where
 * @skb:   the packet, at a netdev ingress hook; as it was afterwards
 * @ask:   what is asked
 * @out:   the device that it left by
 * @route: its route; becomes the one that the kernel has now
 *
 * What ip_rcv_finish() asks.
 *
 * Context: BH off, RCU read side, under which the route can be used.
 */
bool ftun_ask4_input(struct net *net, struct sk_buff *skb,
		     const struct ftun_question *ask,
		     const struct net_device *out, struct ftun_route *route)
{
	struct rtable *rt = ask_input(net, skb, ask);
	bool same = rt && adopt(route, rt, out);

	skb_dst_drop(skb);
	return same;
}

/* Is a packet that comes in still for the router itself? Otherwise like the above. */
bool ftun_ask4_local(struct net *net, struct sk_buff *skb,
		     const struct ftun_question *ask)
{
	struct rtable *rt = ask_input(net, skb, ask);
	bool local = rt && rt->rt_type == RTN_LOCAL;

	skb_dst_drop(skb);
	return local;
}

/* What the tunnel's settings have to say about the route; or the metadata, which says
 * nothing of a device and, since there are no rules, of a mark.
 */
static void output_flow(struct flowi4 *fl4, const struct ftun_way *way)
{
	const struct ip_tunnel_info *info = ftun_metadata(way->route.dst);
	const struct ip_tunnel *tunnel = netdev_priv(way->tun_out);
	const struct iphdr *iph = (const void *)way->outer.hdr;
	__be32 saddr = tunnel->parms.iph.saddr;
	int link = tunnel->parms.link;

	if (info) {
		saddr = info->key.u.ipv4.src;
		link = 0;
	}
	flowi4_init_output(fl4, link, tunnel->fwmark,
			   iph->tos & ROUTE_TOS_MASK, RT_SCOPE_UNIVERSE,
			   iph->protocol, 0, iph->daddr, saddr, 0, 0,
			   GLOBAL_ROOT_UID);
}

/* ipip6_tunnel_xmit() keeps the route whatever it has asked with. */
static bool sit_asks_for_others(const struct ftun_way *way)
{
	const struct ip_tunnel *tunnel = netdev_priv(way->tun_out);

	return way->tun_out->type == ARPHRD_SIT &&
	       (way->outer.rules & FTUN_OUTER_TOS_INHERIT ||
		!tunnel->parms.iph.daddr);
}

/* The first packet that asks does so for all, whatever its TOS: the driver keeps the
 * route with the metadata. Or, that of sit, wherever it goes, with the device.
 */
static bool asks_for_others(const struct ftun_way *way)
{
	return sit_asks_for_others(way) ||
	       (way->outer.rules & FTUN_OUTER_TOS_INHERIT &&
		ftun_metadata(way->route.dst));
}

/**
 * ftun_ask4_output() - do a tunnel's packets still leave so?
 * @net:   where
 * @way:   theirs
 * @route: becomes the one that the kernel has now
 *
 * What ip_tunnel_xmit(), ip_md_tunnel_xmit() and ipip6_tunnel_xmit() ask. Who says
 * nothing of a source gets the route's.
 *
 * Context: BH off, RCU read side, under which the route can be used.
 */
bool ftun_ask4_output(struct net *net, const struct ftun_way *way,
		      struct ftun_route *route)
{
	const struct iphdr *iph = (const void *)way->outer.hdr;
	struct flowi4 fl4 = {};
	struct rtable *rt;
	bool same;

	output_flow(&fl4, way);
	if (asks_for_others(way) || !one_way(net, &fl4))
		return false;
	rt = ip_route_output_key(net, &fl4);
	if (IS_ERR(rt))
		return false;
	same = fl4.saddr == iph->saddr && adopt(route, rt, way->neigh->dev);
	/* Still there until the end of the RCU read side. */
	ip_rt_put(rt);
	return same;
}

/**
 * ftun_ask4_input_several() - has the route of a packet that comes in several next hops?
 * @net:  where
 * @ask:  what is asked
 * @mark: the packet's mark
 *
 * Context: RCU read side.
 * Return: true also if it is not known.
 */
bool ftun_ask4_input_several(struct net *net, const struct ftun_question *ask,
			     u32 mark)
{
	struct flowi4 fl4 = {};

	input_flow(&fl4, ask, mark);
	return !one_way(net, &fl4);
}

/* Has the route of a tunnel's packets? Otherwise like the above. */
bool ftun_ask4_output_several(struct net *net, const struct ftun_way *way)
{
	struct flowi4 fl4 = {};

	output_flow(&fl4, way);
	return !one_way(net, &fl4);
}

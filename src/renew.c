// SPDX-License-Identifier: GPL-2.0
/*
 * IPv4 has one generation for all routes of a namespace, so that any change makes
 * every route look out of date. Whether a path's own have changed is found out by
 * asking for them as the slow path would ask for this very packet. If the answers
 * are what the path was proven with, it goes on; if not, or if it cannot be known,
 * the packet takes the slow path.
 */
#include "renew.h"

#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ip_fib.h>
#include <net/ip_tunnels.h>
#include <net/neighbour.h>
#include <net/nexthop.h>
#include <net/route.h>

#include "parse.h"

/**
 * struct question - what the router asks its routing tables about a packet
 * @daddr: destination
 * @saddr: source
 * @tos:   TOS
 * @off:   where its header is in the packet
 * @dev:   device that it comes in by
 */
struct question {
	__be32			daddr;
	__be32			saddr;
	u8			tos;
	u32			off;
	struct net_device	*dev;
};

/* A policy that says something of packets says it of routes too. */
static bool no_ipsec(const struct net *net)
{
#ifdef CONFIG_XFRM
	int dir;

	for (dir = 0; dir < XFRM_POLICY_MAX; dir++)
		if (READ_ONCE(net->xfrm.policy_count[dir]) ||
		    READ_ONCE(net->xfrm.policy_default[dir]) !=
		    XFRM_USERPOLICY_ACCEPT)
			return false;
#endif
	return true;
}

/* What an `ip rule` asks for, such as a mark that was set on the way, is not known
 * here.
 */
static bool can_ask(const struct net *net)
{
	return !fib4_has_custom_rules(net) && no_ipsec(net);
}

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

/* All that the path was built from, but for the device: the old route may have lost
 * it to its successor. dst_dev_put() leaves the rest alone.
 */
static bool same_route(const struct rtable *old, const struct rtable *new)
{
	return
#ifdef CONFIG_IP_ROUTE_CLASSID
	       new->dst.tclassid == old->dst.tclassid &&
#endif
	       new->rt_type == old->rt_type &&
	       new->rt_flags == old->rt_flags &&
	       new->rt_is_input == old->rt_is_input &&
	       new->rt_uses_gateway == old->rt_uses_gateway &&
	       new->rt_gw_family == old->rt_gw_family &&
	       new->rt_gw4 == old->rt_gw4 && same_mtu(old, new);
}

/* Which of several next hops a packet takes may depend on more than is known here. */
static bool one_way(struct net *net, struct flowi4 *fl4)
{
	struct fib_result res;

	return !fib_lookup(net, fl4, &res, 0) &&
	       (!res.fi || fib_info_num_path(res.fi) == 1);
}

/* Rules that look a packet's source up (fib, rpfilter) have said yes to it. If an
 * answer would come by the device that the packet came in by, they still do.
 */
static bool comes_from(struct net *net, const struct question *ask)
{
	struct fib_result res;
	struct flowi4 fl4 = {};

	flowi4_init_output(&fl4, 0, 0, ask->tos & INET_DSCP_MASK,
			   RT_SCOPE_UNIVERSE, 0, 0, ask->saddr, 0, 0, 0,
			   GLOBAL_ROOT_UID);
	return !fib_lookup(net, &fl4, &res, 0) && res.type == RTN_UNICAST &&
	       fib_info_num_path(res.fi) == 1 &&
	       fib_info_nh_uses_dev(res.fi, ask->dev);
}

/* The route of a packet that comes in, attached to @skb until skb_dst_drop(). */
static struct rtable *ask_input(struct net *net, struct sk_buff *skb,
				const struct question *ask)
{
	__be16 protocol = skb->protocol;
	struct flowi4 fl4 = {};
	bool found;

	flowi4_init_output(&fl4, 0, 0, ask->tos & INET_DSCP_MASK,
			   RT_SCOPE_UNIVERSE, 0, 0, ask->daddr, ask->saddr, 0,
			   0, GLOBAL_ROOT_UID);
	fl4.flowi4_iif = ask->dev->ifindex;
	if (!one_way(net, &fl4) || !comes_from(net, ask))
		return NULL;
	skb_set_network_header(skb, ask->off);
	skb->protocol = htons(ETH_P_IP);
	found = !ip_route_input_noref(skb, ask->daddr, ask->saddr,
				      inet_dsfield_to_dscp(ask->tos),
				      ask->dev);
	skb->protocol = protocol;
	skb_reset_network_header(skb);
	return found ? skb_rtable(skb) : NULL;
}

/* The path keeps the route that the kernel has now, which hears of a path MTU. */
static bool adopt(struct ftun_route *route, struct rtable *new,
		  const struct net_device *dev)
{
	struct dst_entry *old = READ_ONCE(route->dst);

	if (ftun_route_check(&new->dst, false) != FTUN_OK || new->dst.error ||
	    new->dst.dev != dev ||
	    !same_route(container_of(old, struct rtable, dst), new))
		return false;
	WRITE_ONCE(route->cookie, new->rt_pmtu);
	if (&new->dst == old)
		return true;
	if (!dst_hold_safe(&new->dst))
		return false;
	dst_release(xchg(&route->dst, &new->dst));
	return true;
}

/* ip_rcv_finish() of the inner packet */
static bool renew_inner(struct net *net, struct sk_buff *skb,
			const struct ftun_packet *pkt, struct ftun_path *path)
{
	const struct iphdr *iph = (const void *)skb->data + pkt->inner;
	struct question ask = {
		.daddr	= path->what & FTUN_PATH_NAT ? *ftun_nat_daddr(ftun_path_nat(path), false)
						     : iph->daddr,
		.saddr	= iph->saddr,
		.tos	= path->what & FTUN_PATH_DSCP_COPY ? path->outer_dscp
							   : path->dscp,
		.off	= pkt->inner,
		.dev	= path->way->tun_in ?: skb->dev,
	};
	struct rtable *rt;
	bool same;

	/* Whether rules set it before or after the route was looked up is not known. */
	if (path->dscp_set)
		return false;
	rt = ask_input(net, skb, &ask);
	same = rt && adopt(&path->route, rt,
				path->way->tun_out ?: path->way->neigh->dev);

	skb_dst_drop(skb);
	return same;
}

/* ip_rcv_finish() of an outer packet that is for us */
static bool renew_outer_in(struct net *net, struct sk_buff *skb)
{
	const struct iphdr *iph = (const void *)skb->data;
	struct question ask = {
		.daddr	= iph->daddr,
		.saddr	= iph->saddr,
		.tos	= iph->tos,
		.dev	= skb->dev,
	};
	struct rtable *rt = ask_input(net, skb, &ask);
	bool local = rt && rt->rt_type == RTN_LOCAL;

	skb_dst_drop(skb);
	return local;
}

/* ip_tunnel_xmit(), ipip6_tunnel_xmit() */
static bool renew_outer_out(struct net *net, struct ftun_path *path)
{
	const struct ip_tunnel *tunnel = netdev_priv(path->way->tun_out);
	const struct iphdr *iph = (const void *)path->way->outer.hdr;
	struct flowi4 fl4 = {};
	struct rtable *rt;
	bool same;

	flowi4_init_output(&fl4, tunnel->parms.link, tunnel->fwmark,
			   iph->tos & INET_DSCP_MASK, RT_SCOPE_UNIVERSE,
			   iph->protocol, 0, iph->daddr, iph->saddr, 0, 0,
			   GLOBAL_ROOT_UID);
	if (!one_way(net, &fl4))
		return false;
	rt = ip_route_output_key(net, &fl4);
	if (IS_ERR(rt))
		return false;
	same = adopt(&path->outer_route, rt, path->way->neigh->dev);
	ip_rt_put(rt);
	return same;
}

/**
 * ftun_renew() - ask again for a path's IPv4 routes
 * @net:  where
 * @skb:  a packet of the path, at a netdev ingress hook; as it was afterwards
 * @pkt:  what ftun_parse() made of it
 * @path: the path, proven under all but the routes that hold now
 *
 * Context: BH off, RCU read side.
 * Return: false if the packet must take the slow path.
 */
bool ftun_renew(struct net *net, struct sk_buff *skb,
		const struct ftun_packet *pkt, struct ftun_path *path)
{
	u32 genid = rt_genid_ipv4(net);

	WARN_ON_ONCE(!rcu_read_lock_held());
	/* Before the answers: what changes after it is asked for again. */
	smp_rmb();
	if (!can_ask(net))
		return false;
	if (path->what & FTUN_PATH_DECAP && !ftun_path_outer6(path) &&
	    !renew_outer_in(net, skb))
		return false;
	if (!ftun_path_inner6(path) && !renew_inner(net, skb, pkt, path))
		return false;
	if (path->what & FTUN_PATH_ENCAP && !path->way->outer.v6 &&
	    !renew_outer_out(net, path))
		return false;
	WRITE_ONCE(path->routes4, genid);
	return true;
}

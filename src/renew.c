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

/* The path is to keep the route that the kernel has now, which hears of a path MTU. */
static bool adopt(struct ftun_route *route, struct rtable *new,
		  const struct net_device *dev)
{
	const struct rtable *old = container_of(route->dst, struct rtable, dst);

	if (ftun_route_check(&new->dst, false) != FTUN_OK || new->dst.error ||
	    new->dst.dev != dev || !same_route(old, new))
		return false;
	route->dst = &new->dst;
	route->cookie = new->rt_pmtu;
	return true;
}

/* ip_rcv_finish() of the inner packet */
static bool renew_inner(struct net *net, struct sk_buff *skb,
			const struct ftun_packet *pkt, struct ftun_path *path,
			struct ftun_route *route)
{
	const struct ftun_way *way = path->way;
	const struct iphdr *iph = (const void *)skb->data + pkt->inner;
	struct question ask = {
		.daddr	= path->what & FTUN_PATH_NAT ? *ftun_nat_daddr(ftun_path_nat(path), false)
						     : iph->daddr,
		.saddr	= iph->saddr,
		.tos	= path->what & FTUN_PATH_DSCP_COPY ? path->outer_dscp
							   : path->dscp,
		.off	= pkt->inner,
		.dev	= way->tun_in ?: skb->dev,
	};
	struct rtable *rt;
	bool same;

	/* Whether rules set it before or after the route was looked up is not known. */
	if (path->dscp_set)
		return false;
	rt = ask_input(net, skb, &ask);
	same = rt && adopt(route, rt, way->tun_out ?: way->neigh->dev);
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
static bool renew_outer_out(struct net *net, const struct ftun_way *way,
			    struct ftun_route *route)
{
	const struct ip_tunnel *tunnel = netdev_priv(way->tun_out);
	const struct iphdr *iph = (const void *)way->outer.hdr;
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
	same = adopt(route, rt, way->neigh->dev);
	/* Still there until the end of the RCU read side. */
	ip_rt_put(rt);
	return same;
}

static bool is_same(const struct ftun_route *one, const struct ftun_route *other)
{
	return one->dst == other->dst && one->cookie == other->cookie;
}

/* Give the path a way by these routes; they can be those that it has. */
static bool dir_reroute(struct ftun_flow *flow, const struct ftun_dir *dir,
			const struct ftun_route *route,
			const struct ftun_route *outer_route)
{
	struct ftun_way *old = dir->path->way;
	struct ftun_way *new;

	lockdep_assert_held(&flow->lock);
	if (is_same(&old->route, route) &&
	    is_same(&old->outer_route, outer_route))
		return true;
	new = ftun_way_reroute(flow->fn, old, route, outer_route);
	if (!new)
		return false;
	/* Other CPUs' packets can be on the path: what they see is complete. */
	smp_store_release(&dir->path->way, new);
	ftun_way_put(flow->fn, old);
	return true;
}

/* A path that is no longer its direction's is about to go. */
static bool path_reroute(struct ftun_net *fn, struct ftun_path *path,
			 const struct ftun_route *route,
			 const struct ftun_route *outer_route)
{
	struct ftun_flow *flow = ftun_flow_find(fn, path->ct);
	struct ftun_dir *dir;
	bool done;

	if (!flow)
		return false;
	dir = &flow->dir[ftun_path_dir(path)];
	spin_lock(&flow->lock);
	done = dir->path == path &&
	       dir_reroute(flow, dir, route, outer_route);
	spin_unlock(&flow->lock);
	return done;
}

/**
 * ftun_renew() - ask again for a path's IPv4 routes
 * @fn:   where
 * @skb:  a packet of the path, at a netdev ingress hook; as it was afterwards
 * @pkt:  what ftun_parse() made of it
 * @path: the path, proven under all but the routes that hold now
 *
 * Context: BH off, RCU read side.
 * Return: false if the packet must take the slow path.
 */
bool ftun_renew(struct ftun_net *fn, struct sk_buff *skb,
		const struct ftun_packet *pkt, struct ftun_path *path)
{
	const struct ftun_way *way = path->way;
	struct ftun_route outer_route = way->outer_route;
	struct ftun_route route = way->route;
	u32 genid = rt_genid_ipv4(fn->net);
	struct net *net = fn->net;

	WARN_ON_ONCE(!rcu_read_lock_held());
	/* Before the answers: what changes after it is asked for again. */
	smp_rmb();
	if (!can_ask(net))
		return false;
	if (path->what & FTUN_PATH_DECAP && !ftun_path_outer6(path) &&
	    !renew_outer_in(net, skb))
		return false;
	if (!ftun_path_inner6(path) &&
	    !renew_inner(net, skb, pkt, path, &route))
		return false;
	if (path->what & FTUN_PATH_ENCAP && !way->outer.v6 &&
	    !renew_outer_out(net, way, &outer_route))
		return false;
	if (!path_reroute(fn, path, &route, &outer_route))
		return false;
	WRITE_ONCE(path->routes4, genid);
	return true;
}

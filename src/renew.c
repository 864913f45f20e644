// SPDX-License-Identifier: GPL-2.0
/*
 * A namespace has one generation for all IPv4 routes and one for all of IPv6's, so that
 * any change makes every route look out of date. Whether a path's own have changed is
 * found out by asking for them as the slow path would ask for this very packet. If the
 * answers are what the path was proven with, it goes on; if not, or if it cannot be
 * known, the packet takes the slow path.
 */
#include "renew.h"

#include <linux/skbuff.h>
#include <net/ip6_fib.h>
#include <net/ip_fib.h>
#include <net/neighbour.h>

#include "ask.h"
#include "flow.h"
#include "parse.h"

/* What an `ip rule` asks for, such as a mark that was set on the way, is not known
 * here.
 */
static bool can_ask(const struct net *net, const struct ftun_way *way)
{
	return !(way->mask4 && fib4_has_custom_rules(net)) &&
	       !(way->mask6 && fib6_has_custom_rules(net)) &&
	       !ftun_policy_ipsec(net);
}

/* Both addresses of the header that a question is about, and where it is. */
static struct ftun_question question(const struct sk_buff *skb, u32 off, bool v6)
{
	const __be32 *saddr = (const void *)skb->data + off +
			      (v6 ? offsetof(struct ipv6hdr, saddr)
				  : offsetof(struct iphdr, saddr));

	return (struct ftun_question) {
		.saddr	= saddr,
		.daddr	= saddr + ftun_tuple_addr_words(v6),
		.off	= off,
		.dev	= skb->dev,
	};
}

static bool renew_inner(struct net *net, struct sk_buff *skb,
			const struct ftun_packet *pkt, struct ftun_path *path,
			struct ftun_route *route)
{
	bool v6 = ftun_path_inner6(path);
	struct ftun_question ask = question(skb, pkt->inner, v6);
	const struct ftun_way *way = path->way;
	const struct net_device *out = way->tun_out ?: way->neigh->dev;

	/* Whether rules set it before or after the route was looked up is not known. */
	if (path->dscp_set)
		return false;
	ask.tos = path->what & FTUN_PATH_DSCP_COPY ? path->outer_dscp : path->dscp;
	if (way->tun_in)
		ask.dev = way->tun_in;
	if (path->what & FTUN_PATH_NAT)
		ask.daddr = ftun_nat_daddr(ftun_path_nat(path), v6);
	return v6 ? ftun_ask6_input(net, skb, &ask, out, route)
		  : ftun_ask4_input(net, skb, &ask, out, route);
}

/* An outer packet is for us. */
static bool renew_outer_in(struct net *net, struct sk_buff *skb,
			   const struct ftun_packet *pkt, const struct ftun_way *way)
{
	bool v6 = ftun_tuple_outer6(&pkt->tuple);
	struct ftun_question ask = question(skb, 0, v6);

	ask.tos = pkt->outer_tos;
	return v6 ? ftun_ask6_local(net, skb, &ask, way->tun_in)
		  : ftun_ask4_local(net, skb, &ask);
}

static bool renew_outer_out(struct net *net, const struct ftun_way *way,
			    struct ftun_route *route)
{
	return way->outer.v6 ? ftun_ask6_output(net, way, route)
			     : ftun_ask4_output(net, way, route);
}

static bool is_same(const struct ftun_route *one, const struct ftun_route *other)
{
	return one->dst == other->dst && one->learned == other->learned;
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
			 const struct ftun_route *outer_route, u32 generation)
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
	if (done)
		WRITE_ONCE(path->routes, generation);
	spin_unlock(&flow->lock);
	return done;
}

/**
 * ftun_renew() - ask again for a path's routes
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
	struct net *net = fn->net;
	u32 generation = ftun_renew_generation(fn, way);

	WARN_ON_ONCE(!rcu_read_lock_held());
	/* Before the answers: what changes after it is asked for again. */
	smp_rmb();
	if (!can_ask(net, way))
		return false;
	if (path->what & FTUN_PATH_DECAP && !renew_outer_in(net, skb, pkt, way))
		return false;
	if (!renew_inner(net, skb, pkt, path, &route))
		return false;
	if (path->what & FTUN_PATH_ENCAP &&
	    !renew_outer_out(net, way, &outer_route))
		return false;
	return path_reroute(fn, path, &route, &outer_route, generation);
}

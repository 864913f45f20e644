/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_WAY_H
#define _FTUN_WAY_H

#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <net/netfilter/nf_conntrack.h>

#include "hop.h"
#include "rewrite.h"
#include "route.h"
#include "tuple.h"

struct ftun_net;
struct neighbour;
struct net_device;

static inline u32 ftun_ct_mark(const struct nf_conn *ct)
{
#ifdef CONFIG_NF_CONNTRACK_MARK
	return READ_ONCE(ct->mark);
#else
	return 0;
#endif
}

/* Which hash is a packet to have that came without one, where the device that it leaves by
 * goes by that?
 */
#define FTUN_HASH_NONE		0
#define FTUN_HASH_INNER		1	/* its own, before the outer header is on */
#define FTUN_HASH_OUTER		2	/* that of the tunnel's route */

/**
 * struct ftun_acct - a conntrack entry of outer packets, to which they are accounted
 * @ct:  entry, with a reference; or NULL
 * @mark: its mark when the path was proven: rules may ask for it
 * @dir: direction of the packets in it
 * @counted: it has counters, as all entries have or have not since they were made
 * @unassured: it can become assured, and was not when the path was proven
 */
struct ftun_acct {
	struct nf_conn	*ct;
	u32		mark;
	u8		dir;
	bool		counted;
	bool		unassured;
};

/**
 * struct ftun_way - a way through the router, of all connections that go the same
 *
 * What a proof found out that is not about one connection: where packets come from,
 * what is taken off and put on, where they go, and what all that stood on. Paths
 * that were proven alike share one; a change of anything in it makes new ways.
 *
 * Constant from when a path has it, but for @refs. A path whose routes were asked for
 * again can get another, see ftun_way_reroute(). Each path has a reference, and a
 * way ends with the last one: it leaves ftun_net.ways at once and is freed after a
 * grace period, since packets may be using it. See ftun_way_put().
 *
 * What comes before @node is what paths must have in common to share it.
 *
 * @generation: ftun_net.generation under which it was proven
 * @nft_generation: nft_generation() likewise
 * @mask4:      all bits, if it asked for an IPv4 route; else none
 * @mask6:      likewise, IPv6
 * @iif:        ftun_tuple.iif of the packets
 * @words:      the rest of their tuple: what is outside
 * @neigh:      next hop on the wire, with a reference
 * @route:      inner route
 * @outer_route: underlay route with FTUN_PATH_ENCAP
 * @tun_in:     tunnel device with FTUN_PATH_DECAP. No reference is held: a device
 *              that goes changes the generation first, and then waits for a
 *              grace period
 * @delivered:  with @tun_in and an IPv6 packet outside, the device that has the address
 *              which it is for, likewise
 * @tun_out:    tunnel device with FTUN_PATH_ENCAP, likewise
 * @mark_in:    skb->mark at the ingress hook
 * @priority_in: skb->priority likewise
 * @mark:       skb->mark as the slow path leaves it
 * @priority:   skb->priority likewise, unless FTUN_PATH_PRIO_BY_TOS
 * @mtu:        longest inner packet to be sent whole
 * @headroom:   bytes wanted in front of the inner header
 * @asks_ct:    the device may ask for a packet's entry, see ftun_xmit_asks_ct()
 * @hash_by:    FTUN_HASH_*
 * @hash:       with FTUN_HASH_OUTER
 * @hash_l4:    it is one of ports too, as skb->l4_hash says
 * @second:     with FTUN_PATH_SEVERAL, ftun_second() when it was proven
 * @udp:        with FTUN_PATH_ENCAP, ftun_tunnel_udp() of @tun_out
 * @outer_in:   conntrack entry of the outer packets that come in
 * @outer_out:  conntrack entry of the outer packets that go out
 * @outer:      with FTUN_PATH_ENCAP
 * @hop:        with FTUN_PATH_BY_NEIGH
 * @node:       in ftun_net.ways if @shared
 * @refs:       paths that have it
 * @shared:     it is in ftun_net.ways; written before any path has it
 * @retired:    the reference to @neigh is gone; whoever sets it drops it
 * @rcu:        for its release
 */
struct ftun_way {
	u32			generation;
	u32			nft_generation;
	u32			mask4;
	u32			mask6;
	u32			iif;
	u64			words[FTUN_TUPLE_OUTER_PAIRS];
	struct neighbour	*neigh;
	struct ftun_route	route;
	struct ftun_route	outer_route;
	struct net_device	*tun_in;
	struct net_device	*delivered;
	struct net_device	*tun_out;
	u32			mark_in;
	u32			priority_in;
	u32			mark;
	u32			priority;
	u16			mtu;
	u16			headroom;
	bool			asks_ct;
	u8			hash_by;
	bool			hash_l4;
	u32			hash;
	u32			second;
	u64			udp;
	struct ftun_acct	outer_in;
	struct ftun_acct	outer_out;
	struct ftun_outer	outer;
	struct ftun_hop		hop;

	struct rhash_head	node;
	refcount_t		refs;
	bool			shared;
	atomic_t		retired;
	struct rcu_head		rcu;
};

/* The state of the routing tables that a way depends on, of the generations of both
 * families: any change makes it move on.
 */
static inline u32 ftun_way_routes(const struct ftun_way *way, u32 routes4,
				  u32 routes6)
{
	return (routes4 & way->mask4) + (routes6 & way->mask6);
}

int ftun_way_init(void);
void ftun_way_exit(void);
int ftun_way_net_init(struct ftun_net *fn);
void ftun_way_net_exit(struct ftun_net *fn);
struct ftun_way *ftun_way_alloc(void);
struct ftun_way *ftun_way_share(struct ftun_net *fn, struct ftun_way *way);
struct ftun_way *ftun_way_reroute(struct ftun_net *fn, const struct ftun_way *way,
				  const struct ftun_route *route,
				  const struct ftun_route *outer_route);
void ftun_way_put(struct ftun_net *fn, struct ftun_way *way);
void ftun_way_retire(struct ftun_net *fn);

#endif /* _FTUN_WAY_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_PATH_H
#define _FTUN_PATH_H

#include <linux/rhashtable-types.h>
#include <net/netfilter/nf_conntrack.h>

#include "rewrite.h"
#include "tuple.h"
#include "way.h"

struct ftun_net;

/* Bits of ftun_path.what */
#define FTUN_PATH_DECAP		0x01
#define FTUN_PATH_ENCAP		0x02
#define FTUN_PATH_NAT		0x04
#define FTUN_PATH_PRIO_BY_TOS	0x08	/* ip_forward() sets skb->priority */
#define FTUN_PATH_DSCP_COPY	0x10	/* outer DSCP becomes the inner one's */
#define FTUN_PATH_SEQ_IN	0x20	/* tunnel minds GRE sequence numbers */
#define FTUN_PATH_HAIRPIN	0x40	/* out by the device that it came in by */
#define FTUN_PATH_REPLY		0x80	/* of the connection's reply direction */
#define FTUN_PATH_ACCT		0x100	/* the connection's entry has counters */
#define FTUN_PATH_LABEL		0x200	/* all have this IPv6 flow label */
#define FTUN_PATH_LABEL_OR_NONE	0x400	/* all have one, or none has */
#define FTUN_PATH_BY_NEIGH	0x800	/* a neighbour is the other end of the tunnel */
#define FTUN_PATH_SEVERAL	0x1000	/* a route of its has several next hops */
#define FTUN_PATH_HASHED	0x2000	/* proven by a packet that came with a hash */
#define FTUN_PATH_AUTO_PORT	0x4000	/* the outer source port goes by the hash */

/* What the others need not pay for */
#define FTUN_PATH_SPECIAL	(FTUN_PATH_HAIRPIN | FTUN_PATH_SEVERAL | \
				 FTUN_PATH_HASHED | FTUN_PATH_AUTO_PORT)

/* For so many packets a path takes outer IPv4 ids from the kernel at once; each needs one
 * for each of its segments, which are no more than that.
 */
#define FTUN_PATH_IDS		64

/**
 * struct ftun_path - a proven direction of a connection
 *
 * Written before it is put in the table and constant from then on, but for @id,
 * @ids, @passed, @passed_at, @used, @packets, @bytes, @routes and @way. Freed after a
 * grace period, see ftun_path_free(). What connections can have in common is in @way.
 * In such an order that the first of its two cache lines has all that a search
 * compares.
 *
 * @node:       in ftun_net.paths
 * @way:        what it shares with others, with a reference. Another one that differs
 *              in the routes alone can take its place, with the flow's lock
 *              held; the old one stays for a grace period. See renew.c
 * @ct:         its conntrack entry; the reference is the flow's
 * @head:       the key; the rest of it, what is outside, is the way's
 * @addr:       the inner addresses of the key; IPv4's leave room for @nat
 * @used:       jiffies of the last packet, written at most once in a jiffy
 * @ct_mark:    mark of @ct when it was proven: rules may ask for it
 * @label:      IPv6 flow label that it was proven with, of the inner packet
 * @outer_label: with FTUN_OUTER_LABEL_AUTO, of packets that come without a hash
 * @id:         next outer IPv4 id, of those taken from the kernel
 * @ids:        how many of them are left
 * @routes:     ftun_renew_generation() under which its routes led where they do
 * @what:       FTUN_PATH_*
 * @dscp:       DSCP bits of the inner TOS
 * @dscp_out:   those that the inner packet leaves with, with @dscp_set
 * @dscp_set:   rules set them
 * @outer_dscp: DSCP bits of the outer TOS of packets that come in
 * @passed:     why a packet was last left to the slow path, an enum ftun_stat; or
 *              FTUN_OK
 * @passed_at:  jiffies at which that was
 * @packets:    packets sent. With @bytes a plain count: two CPUs that handle one
 *              direction at once can lose some
 * @bytes:      their inner IP lengths
 * @rcu:        for ftun_path_free()
 * @nat:        with FTUN_PATH_NAT, if it is IPv6: see ftun_path_nat(). Only then is
 *              there room for it
 */
struct ftun_path {
	struct rhash_head	node;
	struct ftun_way		*way;
	struct nf_conn		*ct;
	struct ftun_tuple_head	head __aligned(8);
	__be32			addr[8];

	u32			used;
	u32			ct_mark;
	__be32			label;
	union {
		__be32		outer_label;
		struct {
			u16	id;
			u16	ids;
		};
	};
	u32			passed_at;
	u16			what;
	u8			passed;
	u8			dscp;
	u8			outer_dscp;
	u8			dscp_out;
	bool			dscp_set;
	u32			routes;
	u64			packets;
	u64			bytes;
	struct rcu_head		rcu;
	struct ftun_nat		nat[];
};

static inline bool ftun_path_inner6(const struct ftun_path *path)
{
	return path->head.shape & FTUN_SHAPE_INNER6;
}

static inline bool ftun_path_outer6(const struct ftun_path *path)
{
	return path->head.shape & FTUN_SHAPE_OUTER6;
}

/* Direction of its packets in path->ct */
static inline u8 ftun_path_dir(const struct ftun_path *path)
{
	return path->what & FTUN_PATH_REPLY ? IP_CT_DIR_REPLY
					    : IP_CT_DIR_ORIGINAL;
}

/* IPv4's NAT has its place where IPv6 has the rest of its addresses. */
static inline struct ftun_nat *ftun_path_nat(struct ftun_path *path)
{
	return ftun_path_inner6(path) ? path->nat :
	       (struct ftun_nat *)(path->addr + FTUN_NAT_WORDS4);
}

/* Is what it sends IPv6? */
static inline bool ftun_path_wire6(const struct ftun_path *path)
{
	return path->what & FTUN_PATH_ENCAP ? path->way->outer.v6
					    : ftun_path_inner6(path);
}

/* The route that its packets leave the router by */
static inline const struct ftun_route *
ftun_path_wire_route(const struct ftun_path *path)
{
	return path->what & FTUN_PATH_ENCAP ? &path->way->outer_route
					    : &path->way->route;
}

/* Index of the device that its packets are sent by */
static inline u32 ftun_path_oif(const struct ftun_path *path)
{
	return ftun_path_wire_route(path)->dst->dev->ifindex;
}

/* Bytes that it puts in front of the inner packet */
static inline u32 ftun_path_push(const struct ftun_path *path)
{
	return path->what & FTUN_PATH_ENCAP ? path->way->outer.len : 0;
}

/* Is @tuple its key? */
static __always_inline bool ftun_path_is(const struct ftun_path *path,
					 const struct ftun_tuple *tuple)
{
	return ftun_tuple_is(tuple, &path->head, path->way->words,
			     path->way->iif);
}

int ftun_path_init(void);
void ftun_path_exit(void);
struct ftun_path *ftun_path_alloc(bool nat6);
void ftun_path_free(struct ftun_net *fn, struct ftun_path *path);
void ftun_path_tuple(const struct ftun_path *path, struct ftun_tuple *tuple);

#endif /* _FTUN_PATH_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_FLOW_H
#define _FTUN_FLOW_H

#include <linux/rhashtable.h>
#include <net/netfilter/nf_conntrack.h>

#include "netns.h"
#include "rewrite.h"
#include "tuple.h"
#include "way.h"

/*
 * A connection has one struct ftun_flow while the module knows it. Each of its
 * two directions goes its own way:
 *
 *	LEARNING ---> PROVEN ---> ARMED
 *	  |  ^          |           |
 *	  |  |          v           v      rules, routes or devices changed
 *	  |  +-------- STALE <------+
 *	  v                |
 *	REFUSED <----------+
 *
 *	any of them ---> DEAD		garbage collection, see ftun_flow_gc()
 *
 * and an armed direction has a struct ftun_path: all that its packets need, with
 * what it shares in a struct ftun_way. Neither changes once the fast path can find
 * it. A new proof makes a new path.
 */

/**
 * enum ftun_state - how far a direction of a connection has come
 * @FTUN_LEARNING: watching its packets on the slow path
 * @FTUN_PROVEN:   fast path and slow path agree, but there is no path yet
 * @FTUN_ARMED:    its path is in the table
 * @FTUN_STALE:    it had a path, but what that was proven under has changed
 * @FTUN_REFUSED:  stays on the slow path, with a reason
 * @FTUN_DEAD:     its flow is being freed
 */
enum ftun_state {
	FTUN_LEARNING,
	FTUN_PROVEN,
	FTUN_ARMED,
	FTUN_STALE,
	FTUN_REFUSED,
	FTUN_DEAD,
};

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

/* Outer IPv4 ids that a path takes from the kernel at once */
#define FTUN_PATH_IDS		64

static inline u32 ftun_ct_mark(const struct nf_conn *ct)
{
#ifdef CONFIG_NF_CONNTRACK_MARK
	return READ_ONCE(ct->mark);
#else
	return 0;
#endif
}

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
			u8	ids;
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

/* Longest part of a packet that a proof looks at. */
#define FTUN_PROOF_BYTES	160

/**
 * struct ftun_mismatch - why a proof failed
 * @len:  bytes that were compared; 0 if none failed
 * @slow: what the slow path sent
 * @fast: what the fast path would have sent
 */
struct ftun_mismatch {
	u16	len;
	u8	slow[FTUN_PROOF_BYTES];
	u8	fast[FTUN_PROOF_BYTES];
};

/**
 * struct ftun_dir - a direction of a connection
 * @state:    how far it has come, enum ftun_state
 * @reason:   why it is REFUSED, or else what it waits for; FTUN_OK if nothing.
 *            An enum ftun_stat
 * @tries:    proofs that failed in a row
 * @seen:     packets that did not count yet, see ftun_settings_seen_enough()
 * @in:       index of the device that its inner packets came in by, when last armed
 *            or, without a path, when last seen
 * @out:      index of the device that they went out by
 * @since:    jiffies at which it came into its state
 * @path:     what is in the table; NULL unless ARMED or STALE
 * @dst:      inner route of the packet that is about to enter the tunnel
 *
 * All guarded by the flow's lock.
 */
struct ftun_dir {
	u8			state : 4;
	u8			tries : 4;
	u8			reason;
	u16			seen;
	u32			in;
	u32			out;
	u32			since;
	struct ftun_path	*path;
	struct dst_entry	*dst;
};

/**
 * struct ftun_flow - a connection
 * @node:  in ftun_net.flows
 * @ct:    its conntrack entry, with a reference; the key
 * @fn:    where it lives
 * @id:    in ftun_net.ids; never used again
 * @seen:  jiffies of the last packet on the slow path
 * @lock:  guards @timeout and what follows; taken with BH off, inside nothing,
 *         outside ct->lock
 * @owner: IPS_OFFLOAD is set, and we did it
 * @deleted: a user wants it gone
 * @timeout: jiffies for which a packet keeps @ct alive; 0 for TCP, where that
 *         depends, see ftun_window_timeout()
 * @mismatch: the first failed proofs by enum ip_conntrack_dir; NULL if there was none
 * @dir:   both directions, likewise
 * @rcu:   for its release
 */
struct ftun_flow {
	struct rhash_head	node;
	struct nf_conn		*ct;
	struct ftun_net		*fn;
	unsigned long		id;
	u32			seen;
	u32			timeout;
	spinlock_t		lock;
	bool			owner;
	bool			deleted;
	struct ftun_mismatch	*mismatch;
	struct ftun_dir		dir[IP_CT_DIR_MAX];
	struct rcu_head		rcu;
};

/* Why the first proof of a direction failed, or NULL. With the flow locked. */
static inline const struct ftun_mismatch *
ftun_flow_mismatch(const struct ftun_flow *flow, u8 index)
{
	lockdep_assert_held(&flow->lock);
	return flow->mismatch && flow->mismatch[index].len ?
		&flow->mismatch[index] : NULL;
}

int ftun_flow_init(void);
void ftun_flow_exit(void);
int ftun_flow_net_init(struct ftun_net *fn);
void ftun_flow_net_exit(struct ftun_net *fn);

struct ftun_flow *ftun_flow_find(struct ftun_net *fn, const struct nf_conn *ct);
struct ftun_flow *ftun_flow_by_id(struct ftun_net *fn, u64 id);
struct ftun_flow *ftun_flow_create(struct ftun_net *fn, struct nf_conn *ct,
				   enum ftun_stat *reason);
struct ftun_path *ftun_path_alloc(bool nat6);
void ftun_path_free(struct ftun_net *fn, struct ftun_path *path);
void ftun_path_tuple(const struct ftun_path *path, struct ftun_tuple *tuple);
void ftun_flow_refuse(struct ftun_flow *flow, struct ftun_dir *dir,
		      enum ftun_stat reason);
enum ftun_stat ftun_flow_arm(struct ftun_flow *flow, struct ftun_dir *dir,
			     struct ftun_path *path);
void ftun_flow_stale(struct ftun_flow *flow, struct ftun_dir *dir,
		     enum ftun_stat reason);
void ftun_flow_gc_kick(struct ftun_net *fn);
void ftun_flow_gc_wait(struct ftun_net *fn);

#endif /* _FTUN_FLOW_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_FLOW_H
#define _FTUN_FLOW_H

#include <linux/rhashtable.h>
#include <net/netfilter/nf_conntrack.h>

#include "net.h"
#include "path.h"

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
 * @timeout: jiffies for which the last packet keeps @ct alive, as garbage collection
 *         found when that was new; 0 before. TCP's changes with its state
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
struct ftun_flow *ftun_flow_next(struct ftun_net *fn, unsigned long *id,
				 unsigned long last, unsigned int *visits);
struct ftun_flow *ftun_flow_create(struct ftun_net *fn, struct nf_conn *ct,
				   enum ftun_stat *reason);
void ftun_flow_refuse(struct ftun_flow *flow, struct ftun_dir *dir,
		      enum ftun_stat reason);
enum ftun_stat ftun_flow_arm(struct ftun_flow *flow, struct ftun_dir *dir,
			     struct ftun_path *path);
void ftun_flow_stale(struct ftun_flow *flow, struct ftun_dir *dir,
		     enum ftun_stat reason);
void ftun_flow_gc_wait(struct ftun_net *fn);

#endif /* _FTUN_FLOW_H */

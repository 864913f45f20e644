// SPDX-License-Identifier: GPL-2.0
/*
 * A connection's life in the module, from its first watched packet until it is
 * handed back to conntrack. Only ftun_flow_gc() ends one, so that there is one
 * place where a flow dies.
 */
#include "flow.h"

#include <linux/sched.h>
#include <linux/slab.h>
#include <net/neighbour.h>
#include <net/netfilter/nf_conntrack_l4proto.h>

#include "event.h"
#include "policy.h"
#include "settings.h"
#include "socket.h"
#include "stranger.h"
#include "table.h"
#include "usage.h"
#include "window.h"

#define GC_INTERVAL	HZ
/* Idle limit where the kernel has no nf_flowtable_*_timeout sysctls. */
#define IDLE_TIMEOUT	(30 * HZ)
/* No time is let get older than this, or it would look as if it were to come. */
#define OLDEST		(S32_MAX - 3600 * HZ)

static struct kmem_cache *flow_cache __read_mostly;

static const struct rhashtable_params flow_params = {
	.head_offset		= offsetof(struct ftun_flow, node),
	.key_offset		= offsetof(struct ftun_flow, ct),
	.key_len		= sizeof(struct nf_conn *),
	.automatic_shrinking	= true,
};

/**
 * ftun_flow_find() - the flow of a connection
 * @fn: where
 * @ct: conntrack entry; only its address is used
 *
 * Context: RCU read side, under which the flow may be used.
 */
struct ftun_flow *ftun_flow_find(struct ftun_net *fn, const struct nf_conn *ct)
{
	return rhashtable_lookup(&fn->flows, &ct, flow_params);
}

/* The flow of this id, or NULL. RCU read side. */
struct ftun_flow *ftun_flow_by_id(struct ftun_net *fn, u64 id)
{
	return id <= ULONG_MAX ? xa_load(&fn->ids, id) : NULL;
}

/**
 * ftun_flow_next() - walk through all flows, in the order of their making
 * @fn:     where
 * @id:     number of the flow before, 0 in the beginning; becomes this one's
 * @last:   no number greater than that
 * @visits: how many have been visited; the caller's, 0 in the beginning
 *
 * Numbers only grow, so who walks by them meets each flow once, and all that stay.
 *
 * Context: process, RCU read side, which is left between two flows now and then.
 * Return: the flow, or NULL behind the last one.
 */
struct ftun_flow *ftun_flow_next(struct ftun_net *fn, unsigned long *id,
				 unsigned long last, unsigned int *visits)
{
	if (++*visits % FTUN_WALK_VISITS == 0) {
		rcu_read_unlock();
		cond_resched();
		rcu_read_lock();
	}
	return xa_find_after(&fn->ids, id, last, XA_PRESENT);
}

static void flow_tell(const struct ftun_flow *flow, u8 index,
		      enum ftun_nl_event what, enum ftun_stat reason)
{
	lockdep_assert_held(&flow->lock);
	ftun_event(&(struct ftun_event) {
		.net	= flow->fn->net,
		.ct	= flow->ct,
		.id	= flow->id,
		.index	= index,
		.what	= what,
		.reason	= reason,
	});
}

static void dir_tell(const struct ftun_flow *flow, const struct ftun_dir *dir,
		     enum ftun_nl_event what)
{
	flow_tell(flow, dir - flow->dir, what, dir->reason);
}

static struct ftun_flow *flow_alloc(struct ftun_net *fn, struct nf_conn *ct)
{
	struct ftun_flow *flow = kmem_cache_zalloc(flow_cache, GFP_ATOMIC);

	if (!flow)
		return NULL;
	nf_conntrack_get(&ct->ct_general);
	flow->ct = ct;
	flow->fn = fn;
	flow->seen = jiffies;
	flow->dir[IP_CT_DIR_ORIGINAL].since = jiffies;
	flow->dir[IP_CT_DIR_REPLY].since = jiffies;
	flow->dir[IP_CT_DIR_ORIGINAL].reason = FTUN_OK;
	flow->dir[IP_CT_DIR_REPLY].reason = FTUN_OK;
	spin_lock_init(&flow->lock);
	return flow;
}

static void flow_free_rcu(struct rcu_head *rcu)
{
	struct ftun_flow *flow = container_of(rcu, struct ftun_flow, rcu);
	int i;

	for (i = 0; i < IP_CT_DIR_MAX; i++)
		dst_release(flow->dir[i].dst);
	kfree(flow->mismatch);
	nf_ct_put(flow->ct);
	kmem_cache_free(flow_cache, flow);
}

/* Numbers in the order of their making, so that who walks through them by number
 * meets each flow once, and all that stay. The place is taken now, while that
 * can still fail, and filled when the flow is one.
 */
static bool flow_number(struct ftun_net *fn, struct ftun_flow *flow)
{
	int err = -ENOSPC;

	xa_lock(&fn->ids);
	/* 32 bits are at their end after four billion. */
	if (fn->last_id < ULONG_MAX) {
		flow->id = ++fn->last_id;
		err = __xa_insert(&fn->ids, flow->id, NULL, GFP_ATOMIC);
	}
	xa_unlock(&fn->ids);
	return !err;
}

/* Nobody has looked at any of this while there was no flow. */
static void gc_start(struct ftun_net *fn)
{
	ftun_policy_begin(fn);
	fn->visited = jiffies;
	ftun_timeout_limits(fn->net, &fn->limits);
}

/**
 * ftun_flow_create() - begin to watch a connection
 * @fn:     where
 * @ct:     confirmed conntrack entry; a reference is taken
 * @reason: says why on failure
 *
 * Context: softirq or BH off, RCU read side.
 * Return: the new flow, the one that another CPU made meanwhile, or NULL.
 */
struct ftun_flow *ftun_flow_create(struct ftun_net *fn, struct nf_conn *ct,
				   enum ftun_stat *reason)
{
	struct ftun_flow *flow, *old;

	*reason = FTUN_STAT_refuse_limit;
	if (atomic_read(&fn->flows.nelems) >= ftun_settings_flow_limit(fn))
		return NULL;
	*reason = FTUN_STAT_refuse_nomem;
	flow = flow_alloc(fn, ct);
	if (!flow)
		return NULL;
	if (!flow_number(fn, flow)) {
		call_rcu(&flow->rcu, flow_free_rcu);
		return NULL;
	}
	/* GC on another CPU may end it from here on, but not half of it. */
	spin_lock(&flow->lock);
	old = rhashtable_lookup_get_insert_fast(&fn->flows, &flow->node,
						flow_params);
	if (old) {
		spin_unlock(&flow->lock);
		xa_erase(&fn->ids, flow->id);
		call_rcu(&flow->rcu, flow_free_rcu);
		return IS_ERR(old) ? NULL : old;
	}
	xa_store(&fn->ids, flow->id, flow, GFP_ATOMIC);
	if (atomic_read(&fn->flows.nelems) == 1)
		gc_start(fn);
	ftun_stat_inc(fn->stats, FTUN_STAT_flow_learned);
	flow_tell(flow, IP_CT_DIR_MAX, FTUN_NL_EVENT_LEARNED, FTUN_OK);
	spin_unlock(&flow->lock);
	queue_delayed_work(ftun_workqueue, &fn->gc_work, GC_INTERVAL);
	return flow;
}

static void dir_unlink_path(struct ftun_flow *flow, struct ftun_dir *dir)
{
	lockdep_assert_held(&flow->lock);
	if (!dir->path)
		return;
	ftun_table_del(flow->fn, dir->path);
	ftun_path_free(flow->fn, dir->path);
	dir->path = NULL;
}

static void dir_drop_path(struct ftun_flow *flow, struct ftun_dir *dir)
{
	lockdep_assert_held(&flow->lock);
	if (!dir->path)
		return;
	ftun_usage_ended(flow->fn, dir->path, dir->in, dir->out);
	dir_unlink_path(flow, dir);
}

/**
 * ftun_flow_refuse() - leave a direction on the slow path
 * @flow:   the connection, locked
 * @dir:    its direction
 * @reason: why
 */
void ftun_flow_refuse(struct ftun_flow *flow, struct ftun_dir *dir,
		      enum ftun_stat reason)
{
	lockdep_assert_held(&flow->lock);
	dir_drop_path(flow, dir);
	if (dir->state == FTUN_REFUSED && dir->reason == reason)
		return;
	ftun_stat_inc(flow->fn->stats, reason);
	dir->since = jiffies;
	dir->state = FTUN_REFUSED;
	dir->reason = reason;
	dir_tell(flow, dir, FTUN_NL_EVENT_REFUSED);
}

/**
 * ftun_flow_stale() - a direction has to prove itself again
 * @flow:   the connection, locked
 * @dir:    its direction
 * @reason: what the next proof waits for, or FTUN_OK
 */
void ftun_flow_stale(struct ftun_flow *flow, struct ftun_dir *dir,
		     enum ftun_stat reason)
{
	bool before = dir->state == FTUN_STALE;

	lockdep_assert_held(&flow->lock);
	dir->state = FTUN_STALE;
	dir->reason = reason;
	if (before)
		return;
	dir->since = jiffies;
	dir_tell(flow, dir, FTUN_NL_EVENT_STALE);
}

/* IPS_OFFLOAD says whose a connection is: nf_flow_table respects it too. */
static bool flow_own(struct ftun_flow *flow)
{
	lockdep_assert_held(&flow->lock);
	if (flow->owner)
		return true;
	if (test_and_set_bit(IPS_OFFLOAD_BIT, &flow->ct->status))
		return false;
	flow->owner = true;
	return true;
}

static void flow_disown(struct ftun_flow *flow)
{
	lockdep_assert_held(&flow->lock);
	if (flow->owner)
		clear_bit(IPS_OFFLOAD_BIT, &flow->ct->status);
	flow->owner = false;
}

/* By index, since a path's devices may only be looked at while it is current. */
static u32 path_in(const struct ftun_path *path)
{
	const struct ftun_way *way = path->way;

	return way->tun_in ? way->tun_in->ifindex : way->iif;
}

static u32 path_out(const struct ftun_path *path)
{
	const struct ftun_way *way = path->way;

	return way->tun_out ? way->tun_out->ifindex
			    : way->route.dst->dev->ifindex;
}

/* In the same tunnels: what the one before has counted is its own from now on. */
static void path_succeed(struct ftun_path *path, const struct ftun_path *old)
{
	path->packets = old->packets;
	path->bytes = old->bytes;
	path->passed = READ_ONCE(old->passed);
	path->passed_at = READ_ONCE(old->passed_at);
}

static void dir_proven(struct ftun_flow *flow, struct ftun_dir *dir)
{
	lockdep_assert_held(&flow->lock);
	dir->state = FTUN_PROVEN;
	dir->reason = FTUN_OK;
	ftun_stat_inc(flow->fn->stats, FTUN_STAT_flow_proven);
	dir_tell(flow, dir, FTUN_NL_EVENT_PROVEN);
}

/**
 * ftun_flow_arm() - put a proven direction on the fast path
 * @flow: the connection, locked and not DEAD
 * @dir:  its direction, which has just been proven
 * @path: its path; on FTUN_OK the direction's from now on
 *
 * Return: FTUN_OK or the reason why not.
 */
enum ftun_stat ftun_flow_arm(struct ftun_flow *flow, struct ftun_dir *dir,
			     struct ftun_path *path)
{
	bool first = !dir->path;
	int err;

	lockdep_assert_held(&flow->lock);
	dir_proven(flow, dir);
	if (!flow_own(flow))
		return FTUN_STAT_refuse_owned;
	if (dir->path && path_in(path) == dir->in && path_out(path) == dir->out) {
		path_succeed(path, dir->path);
		dir_unlink_path(flow, dir);
	}
	dir_drop_path(flow, dir);
	err = ftun_table_add(flow->fn, path);
	if (err) {
		ftun_usage_ended(flow->fn, path, dir->in, dir->out);
		return err == -EEXIST ? FTUN_STAT_wait_tuple
				      : FTUN_STAT_refuse_nomem;
	}
	dir->path = path;
	dir->state = FTUN_ARMED;
	dir->tries = 0;
	dir->in = path_in(path);
	dir->out = path_out(path);
	if (!first)
		return FTUN_OK;
	dir->since = jiffies;
	ftun_stat_inc(flow->fn->stats, FTUN_STAT_flow_armed);
	dir_tell(flow, dir, FTUN_NL_EVENT_ARMED);
	return FTUN_OK;
}

static bool is_tcp(const struct nf_conn *ct)
{
	return nf_ct_protonum(ct) == IPPROTO_TCP;
}

static u32 kernel_idle_timeout(const struct nf_conn *ct)
{
#if IS_ENABLED(CONFIG_NF_FLOW_TABLE)
	struct net *net = nf_ct_net(ct);

	return is_tcp(ct) ?
		READ_ONCE(nf_tcp_pernet(net)->offload_timeout) :
		READ_ONCE(nf_udp_pernet(net)->offload_timeout);
#else
	return IDLE_TIMEOUT;
#endif
}

static u32 idle_timeout(const struct ftun_flow *flow)
{
	return ftun_settings_idle(flow->fn, nf_ct_protonum(flow->ct)) ?:
	       kernel_idle_timeout(flow->ct);
}

static u32 flow_used(const struct ftun_flow *flow)
{
	u32 used = READ_ONCE(flow->seen);
	int i;

	lockdep_assert_held(&flow->lock);
	for (i = 0; i < IP_CT_DIR_MAX; i++) {
		const struct ftun_path *path = flow->dir[i].path;

		if (path && time_after32(READ_ONCE(path->used), used))
			used = READ_ONCE(path->used);
	}
	return used;
}

/* Has a packet come since entries were last looked after? Those before it have been seen to
 * then, under the timeouts that held when they came.
 */
static bool is_new(const struct ftun_net *fn, u32 used)
{
	return !time_before32(used, fn->visited);
}

static void flow_update_timeout(struct ftun_flow *flow)
{
	u32 used = flow_used(flow);

	lockdep_assert_held(&flow->lock);
	if (is_new(flow->fn, used))
		flow->timeout = ftun_timeout(&flow->fn->limits, flow->ct, used);
}

/* How long conntrack lets the connection live without a packet; 0: not known. */
static u32 flow_period(const struct ftun_flow *flow)
{
	return is_tcp(flow->ct) ? ftun_window_timeout(flow->ct) : flow->timeout;
}

/* Conntrack's limit may be less than ours, and with older kernels is not looked at
 * while an entry is offloaded.
 */
static bool flow_idle(const struct ftun_flow *flow)
{
	s32 idle = (u32)jiffies - flow_used(flow), period;

	if (idle > (s32)idle_timeout(flow))
		return true;
	if (idle <= HZ)
		return false;
	period = flow_period(flow);
	return period && idle > period;
}

/* Let an entry live on from its last packet as the slow path would have. It may have
 * had one since, such as a FIN; what is longer than any packet is good for is from under
 * another limit, or an older kernel's day, see flow_restore_timeout().
 */
static void ct_refresh(struct nf_conn *ct, u32 used, u32 period)
{
	s32 left = READ_ONCE(ct->timeout) - nfct_time_stamp;
	s32 due = used + period - nfct_time_stamp;

	if (test_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status))
		return;
	if (due > left || left > (s32)period)
		WRITE_ONCE(ct->timeout, used + period);
}

static void acct_refresh(const struct ftun_net *fn, const struct ftun_acct *acct, u32 used)
{
	if (acct->ct)
		ct_refresh(acct->ct, used, ftun_timeout(&fn->limits, acct->ct, used));
}

static void path_refresh(const struct ftun_flow *flow,
			 const struct ftun_path *path)
{
	u32 used = READ_ONCE(path->used);

	lockdep_assert_held(&flow->lock);
	if (!is_new(flow->fn, used))
		return;
	ct_refresh(flow->ct, used, flow_period(flow));
	acct_refresh(flow->fn, &path->way->outer_in, used);
	acct_refresh(flow->fn, &path->way->outer_out, used);
}

/* Older kernels' conntrack gives an offloaded entry a day to live. The slow path
 * would have given it what the last packet was good for, which may have been one that
 * was left to it, such as a FIN.
 */
static void flow_restore_timeout(struct ftun_flow *flow)
{
	u32 period = flow_period(flow);
	u32 used = flow_used(flow);
	int i;

	lockdep_assert_held(&flow->lock);
	for (i = 0; i < IP_CT_DIR_MAX; i++) {
		const struct ftun_path *path = flow->dir[i].path;

		if (path && READ_ONCE(path->passed) != FTUN_OK &&
		    time_after32(READ_ONCE(path->passed_at), used))
			used = READ_ONCE(path->passed_at);
	}
	if (period)
		ct_refresh(flow->ct, used, period);
}

static bool tcp_closed(const struct nf_conn *ct)
{
	return is_tcp(ct) &&
	       READ_ONCE(ct->proto.tcp.state) != TCP_CONNTRACK_ESTABLISHED;
}

static enum ftun_stat flow_judge(struct ftun_flow *flow)
{
	lockdep_assert_held(&flow->lock);
	if (READ_ONCE(flow->fn->leaving) || !ftun_settings_armed(flow->fn))
		return FTUN_STAT_flow_ended_disarmed;
	if (nf_ct_is_dying(flow->ct))
		return FTUN_STAT_flow_ended_dying;
	if (flow->deleted)
		return FTUN_STAT_flow_ended_deleted;
	if (tcp_closed(flow->ct))
		return FTUN_STAT_flow_ended_closed;
	if (flow_idle(flow))
		return FTUN_STAT_flow_ended_idle;
	return FTUN_OK;
}

static bool flow_has_current_path(const struct ftun_flow *flow)
{
	int i;

	lockdep_assert_held(&flow->lock);
	for (i = 0; i < IP_CT_DIR_MAX; i++)
		if (flow->dir[i].path &&
		    ftun_policy_current(flow->fn, flow->dir[i].path->way))
			return true;
	return false;
}

static bool acct_expired(const struct ftun_acct *acct)
{
	return acct->ct && nf_ct_is_expired(acct->ct);
}

/* Of an entry that is over conntrack makes a new one, but nobody may have looked at it. */
static bool path_expired(const struct ftun_path *path)
{
	return acct_expired(&path->way->outer_in) ||
	       acct_expired(&path->way->outer_out);
}

/* A path from an older generation holds on to devices that may want to go. */
static void dir_refresh(struct ftun_flow *flow, struct ftun_dir *dir)
{
	if (!dir->path)
		return;
	path_refresh(flow, dir->path);
	if (ftun_policy_current(flow->fn, dir->path->way) &&
	    !path_expired(dir->path))
		return;
	dir_drop_path(flow, dir);
	ftun_flow_stale(flow, dir, dir->reason == FTUN_OK ?
			FTUN_STAT_pass_stale : dir->reason);
}

/* A connection that is all on the slow path is conntrack's own, if it does not
 * come back with its next packet.
 */
static void flow_refresh(struct ftun_flow *flow)
{
	bool handback = !flow_has_current_path(flow);
	int i;

	lockdep_assert_held(&flow->lock);
	if (handback && flow->owner)
		flow_restore_timeout(flow);
	for (i = 0; i < IP_CT_DIR_MAX; i++)
		dir_refresh(flow, &flow->dir[i]);
	if (handback)
		flow_disown(flow);
}

static void flow_end(struct ftun_flow *flow, enum ftun_stat reason)
{
	int i;

	lockdep_assert_held(&flow->lock);
	if (flow->owner)
		flow_restore_timeout(flow);
	for (i = 0; i < IP_CT_DIR_MAX; i++) {
		dir_drop_path(flow, &flow->dir[i]);
		flow->dir[i].state = FTUN_DEAD;
	}
	flow_disown(flow);
	rhashtable_remove_fast(&flow->fn->flows, &flow->node, flow_params);
	xa_erase(&flow->fn->ids, flow->id);
	ftun_stat_inc(flow->fn->stats, reason);
	flow_tell(flow, IP_CT_DIR_MAX, FTUN_NL_EVENT_ENDED, reason);
	call_rcu(&flow->rcu, flow_free_rcu);
}

/* A packet may come meanwhile, and write another time. */
static void keep_time(u32 *time)
{
	u32 then = READ_ONCE(*time), oldest = (u32)jiffies - OLDEST;

	if (time_before32(then, oldest))
		cmpxchg(time, then, oldest);
}

/* Connections can live for weeks in which nothing happens to them. */
static void flow_keep_times(struct ftun_flow *flow)
{
	int i;

	lockdep_assert_held(&flow->lock);
	keep_time(&flow->seen);
	for (i = 0; i < IP_CT_DIR_MAX; i++) {
		struct ftun_dir *dir = &flow->dir[i];

		keep_time(&dir->since);
		if (!dir->path)
			continue;
		keep_time(&dir->path->used);
		keep_time(&dir->path->passed_at);
	}
}

static void flow_visit(struct ftun_flow *flow)
{
	enum ftun_stat reason;

	spin_lock_bh(&flow->lock);
	flow_keep_times(flow);
	flow_update_timeout(flow);
	reason = flow_judge(flow);
	if (reason == FTUN_OK)
		flow_refresh(flow);
	else
		flow_end(flow, reason);
	spin_unlock_bh(&flow->lock);
}

/**
 * ftun_flow_gc() - visit every flow: end it, or keep its conntrack entries alive
 * @fn: where
 *
 * By number: a walk through the hash that rests where a flow has just ended passes over
 * the next one.
 *
 * Context: process.
 */
static void ftun_flow_gc(struct ftun_net *fn)
{
	unsigned long id = 0, last = READ_ONCE(fn->last_id);
	unsigned int visits = 0;
	struct ftun_flow *flow;
	struct ftun_limits limits;
	u32 began = jiffies;

	ftun_timeout_limits(fn->net, &limits);
	rcu_read_lock();
	while ((flow = ftun_flow_next(fn, &id, last, &visits)))
		flow_visit(flow);
	rcu_read_unlock();
	fn->visited = began;
	fn->limits = limits;
}

static void flow_gc_work(struct work_struct *work)
{
	struct ftun_net *fn = container_of(to_delayed_work(work),
					   struct ftun_net, gc_work);

	ftun_policy_tick(fn);
	ftun_socket_tick(fn);
	ftun_stranger_tick(fn);
	ftun_way_retire(fn);
	ftun_flow_gc(fn);
	/* Also when leaving: it may have begun only after a flow was visited, and
	 * devices cannot go as long as a flow holds on to them.
	 */
	if (atomic_read(&fn->flows.nelems))
		queue_delayed_work(ftun_workqueue, &fn->gc_work,
				   READ_ONCE(fn->leaving) ? FTUN_GC_SOON :
							    GC_INTERVAL);
}

/**
 * ftun_flow_gc_wait() - visit every flow now
 * @fn: where
 *
 * What was marked to be deleted before is gone when this returns.
 *
 * Context: process, no locks held.
 */
void ftun_flow_gc_wait(struct ftun_net *fn)
{
	mod_delayed_work(ftun_workqueue, &fn->gc_work, 0);
	flush_delayed_work(&fn->gc_work);
}

int ftun_flow_net_init(struct ftun_net *fn)
{
	int err = ftun_way_net_init(fn);

	if (err)
		return err;
	INIT_DELAYED_WORK(&fn->gc_work, flow_gc_work);
	xa_init_flags(&fn->ids, XA_FLAGS_LOCK_BH);
	err = rhashtable_init(&fn->flows, &flow_params);
	if (err)
		ftun_way_net_exit(fn);
	return err;
}

/* No hook runs any more: what is in the table is all there will ever be. */
void ftun_flow_net_exit(struct ftun_net *fn)
{
	WARN_ON_ONCE(!fn->leaving);
	cancel_delayed_work_sync(&fn->gc_work);
	while (atomic_read(&fn->flows.nelems))
		ftun_flow_gc(fn);
	rhashtable_destroy(&fn->flows);
	ftun_way_net_exit(fn);
	WARN_ON_ONCE(!xa_empty(&fn->ids));
	xa_destroy(&fn->ids);
}

int ftun_flow_init(void)
{
	flow_cache = KMEM_CACHE(ftun_flow, 0);
	return flow_cache ? 0 : -ENOMEM;
}

/* After the last namespace has gone. */
void ftun_flow_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(flow_cache);
}

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_NET_H
#define _FTUN_NET_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "compat/nft.h"
#include "fou.h"
#include "stats.h"
#include "timeout.h"

struct ftun_settings;

/* Until flows are visited after an event: those come in crowds. */
#define FTUN_GC_SOON	(HZ / 10)

/* Devices that wait for their ingress hook; more of them wait for a next packet. */
#define FTUN_DEVICES_WANTED	8

/* POSTROUTING and INPUT, for IPv4 and IPv6 */
#define FTUN_LEARN_HOOKS	4

/* Who walks through a table that may have a million entries leaves the RCU read side
 * after so many: with a preemptible kernel need_resched() tells nothing there, for
 * who has been preempted has already been scheduled again.
 */
#define FTUN_WALK_VISITS	1024

/**
 * struct ftun_net - the module's part of a network namespace
 * @net:         the namespace, which outlives this
 * @stats:       the counters
 * @paths:       what the fast path looks packets up in, see table.h
 * @ways:        what paths have in common, see way.c
 * @retired:     generation under which old ways let go of their neighbours; GC's own
 * @flows:       connections by conntrack entry, see flow.c
 * @ids:         the same by id, for those who walk through all of them
 * @last_id:     the newest; guarded by the lock of @ids
 * @generation:  changes whenever something changed that a proof stood on, see
 *               policy.c
 * @armed:       as in @settings, for the fast path
 * @plain:       likewise
 * @strangers:   there are some, see stranger.c
 * @nft:         sees the ruleset change, see policy.h
 * @routes6_told: how many changes of IPv6 routes and addresses were announced
 * @nexthops_told: the same of next hops that have a number
 * @rtnetlink:   hears of changes of rp_filter and tc, see policy.c
 * @routes6:     hears of changes of IPv6 routes and addresses, likewise
 * @nexthops:    hears of changes of next hops, likewise
 * @ipsec:       hears of IPsec's policies and states, likewise; not set if nobody tells
 * @ipsec_count: how many policies and states there were at the last look, see policy.c
 * @fou:         where tunnelled packets in UDP come to, see fou.h
 * @settings:    what is set, see settings.c; RCU
 * @settings_lock: held to replace @settings
 * @tunnels:     struct ftun_usage by index of the tunnel device, see usage.c;
 *               written with RTNL held
 * @leaving:     the namespace or the module goes; set once, before @hook_work and
 *               @gc_work are cancelled
 * @devices:     struct ftun_device, guarded by RTNL, walked under RCU
 * @wanted_lock: guards @wanted and @wanted_count
 * @wanted:      indexes of devices that need an ingress hook
 * @wanted_count: how many
 * @gre_changed: a GRE device said so, perhaps too early, see devices.c; RTNL
 * @hook_work:   gives them one, and makes up for that
 * @gc_work:     ends flows, see flow.c
 * @visited:     jiffies at which it last began to, or the first flow was there
 * @limits:      what conntrack's sysctls said then; likewise
 * @learn_ops:   the watchers' hooks, with this as private pointer, see learn.c
 */
struct ftun_net {
	struct net			*net;
	struct ftun_stats __percpu	*stats;
	struct rhashtable		paths;
	struct rhashtable		ways;
	u32				retired;
	struct rhashtable		flows;
	struct xarray			ids;
	unsigned long			last_id;
	atomic_t			generation;
	atomic_t			routes6_told;
	atomic_t			nexthops_told;
	bool				armed;
	bool				plain;
	bool				strangers;
	struct nft_watch		nft;
	struct ftun_listener		rtnetlink;
	struct ftun_listener		routes6;
	struct ftun_listener		nexthops;
	struct ftun_listener		ipsec;
	u32				ipsec_count;
	struct ftun_fou			fou;
	struct ftun_settings __rcu	*settings;
	struct mutex			settings_lock;
	struct xarray			tunnels;
	bool				leaving;

	struct list_head		devices;
	spinlock_t			wanted_lock;
	u32				wanted[FTUN_DEVICES_WANTED];
	unsigned int			wanted_count;
	bool				gre_changed;
	struct work_struct		hook_work;
	struct delayed_work		gc_work;
	u32				visited;
	struct ftun_limits		limits;
	struct nf_hook_ops		learn_ops[FTUN_LEARN_HOOKS];
};

extern unsigned int ftun_net_id;
extern struct workqueue_struct *ftun_workqueue;

/* RCU read side, RTNL, or otherwise sure that @net stays. */
static inline struct ftun_net *ftun_net_get(const struct net *net)
{
	return net_generic(net, ftun_net_id);
}

void ftun_net_gc_soon(struct ftun_net *fn);

#endif /* _FTUN_NET_H */

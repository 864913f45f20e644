// SPDX-License-Identifier: GPL-2.0
/*
 * How much of a tunnel's traffic is fast. Packets are counted by the paths alone,
 * which costs the fast path nothing; what a path has counted is added up here when
 * it ends, and the rest by who asks.
 */
#include "usage.h"

#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <uapi/linux/nf_flowtable_tun.h>

#include "flow.h"
#include "netns.h"
#include "settings.h"
#include "tunnel.h"

static bool is_tunnel(const struct net_device *dev, enum ftun_stat *reason)
{
	struct ftun_tunnel tunnel;

	*reason = ftun_tunnel_read(dev, false, &tunnel);
	if (*reason == FTUN_OK && tunnel.encap == FTUN_ENCAP_NONE)
		return false;
	/* sit carries IPv6 in the first place, ip6tnl and GRE either. */
	if (*reason != FTUN_OK)
		*reason = ftun_tunnel_read(dev, true, &tunnel);
	return true;
}

static void usage_add(struct ftun_net *fn, struct net_device *dev)
{
	struct rtnl_link_stats64 stats;
	struct ftun_usage *usage;

	ASSERT_RTNL();
	usage = kzalloc(sizeof(*usage), GFP_KERNEL);
	if (!usage)
		return;
	dev_get_stats(dev, &stats);
	usage->ifindex = dev->ifindex;
	usage->rx_before = stats.rx_packets;
	usage->tx_before = stats.tx_packets;
	if (xa_insert_bh(&fn->tunnels, dev->ifindex, usage, GFP_KERNEL))
		kfree(usage);
}

static void usage_remove(struct ftun_net *fn, u32 ifindex)
{
	struct ftun_usage *usage = xa_erase_bh(&fn->tunnels, ifindex);

	ASSERT_RTNL();
	if (usage)
		kfree_rcu(usage, rcu);
}

static int usage_event(struct notifier_block *nb, unsigned long event,
		       void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct ftun_net *fn = ftun_net_get(dev_net(dev));
	enum ftun_stat reason;

	switch (event) {
	case NETDEV_REGISTER:
		if (is_tunnel(dev, &reason))
			usage_add(fn, dev);
		break;
	case NETDEV_UNREGISTER:
		usage_remove(fn, dev->ifindex);
	}
	return NOTIFY_DONE;
}

static struct notifier_block usage_notifier = {
	.notifier_call = usage_event,
};

/* Those that are there already are told of as well. */
int ftun_usage_init(void)
{
	return register_netdevice_notifier(&usage_notifier);
}

void ftun_usage_exit(void)
{
	unregister_netdevice_notifier(&usage_notifier);
}

void ftun_usage_net_init(struct ftun_net *fn)
{
	xa_init_flags(&fn->tunnels, XA_FLAGS_LOCK_BH);
}

void ftun_usage_net_exit(struct ftun_net *fn)
{
	struct ftun_usage *usage;
	unsigned long ifindex;

	xa_for_each(&fn->tunnels, ifindex, usage)
		kfree_rcu(usage, rcu);
	xa_destroy(&fn->tunnels);
}

/**
 * ftun_usage_ended() - keep what a path has counted
 * @fn:   where
 * @dir:  the direction whose path it was
 * @path: the path
 *
 * Context: BH off, the flow locked.
 */
void ftun_usage_ended(struct ftun_net *fn, const struct ftun_dir *dir,
		      const struct ftun_path *path)
{
	struct ftun_usage *usage;

	rcu_read_lock();
	usage = xa_load(&fn->tunnels, dir->in);
	if (usage && path->what & FTUN_PATH_DECAP)
		atomic64_add(READ_ONCE(path->packets), &usage->rx_ended);
	usage = xa_load(&fn->tunnels, dir->out);
	if (usage && path->what & FTUN_PATH_ENCAP)
		atomic64_add(READ_ONCE(path->packets), &usage->tx_ended);
	rcu_read_unlock();
}

static struct ftun_usage_sum *sum_find(struct ftun_usage_sum *sums,
				       unsigned int count, u32 ifindex)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (sums[i].ifindex == ifindex)
			return &sums[i];
	return NULL;
}

static void sum_state(struct ftun_usage_sum *sum, const struct ftun_dir *dir)
{
	if (!sum)
		return;
	if (dir->path)
		sum->armed++;
	else
		sum->slow++;
}

static void sum_dir(struct ftun_usage_sum *sums, unsigned int count,
		    const struct ftun_dir *dir)
{
	struct ftun_usage_sum *in = sum_find(sums, count, dir->in);
	struct ftun_usage_sum *out = sum_find(sums, count, dir->out);

	sum_state(in, dir);
	sum_state(out, dir);
	if (!dir->path)
		return;
	if (in && dir->path->what & FTUN_PATH_DECAP)
		in->rx_fast += READ_ONCE(dir->path->packets);
	if (out && dir->path->what & FTUN_PATH_ENCAP)
		out->tx_fast += READ_ONCE(dir->path->packets);
}

/* Connections may come and go meanwhile: xa_find() copes with that under RCU. */
static void sum_flows(struct ftun_net *fn, struct ftun_usage_sum *sums,
		      unsigned int count)
{
	struct ftun_flow *flow;
	unsigned int visits = 0;
	unsigned long id = 0;
	int i;

	rcu_read_lock();
	for (flow = xa_find(&fn->ids, &id, ULONG_MAX, XA_PRESENT); flow;
	     flow = xa_find_after(&fn->ids, &id, ULONG_MAX, XA_PRESENT)) {
		spin_lock_bh(&flow->lock);
		for (i = 0; i < IP_CT_DIR_MAX; i++)
			sum_dir(sums, count, &flow->dir[i]);
		spin_unlock_bh(&flow->lock);
		if (++visits % FTUN_WALK_VISITS)
			continue;
		rcu_read_unlock();
		cond_resched();
		rcu_read_lock();
	}
	rcu_read_unlock();
}

/* Before the paths in use are counted: one that ends meanwhile is missed for once,
 * not counted twice.
 */
static bool sum_begin(struct ftun_net *fn, const struct ftun_usage *usage,
		      struct ftun_usage_sum *sum)
{
	struct rtnl_link_stats64 stats;
	struct net_device *dev;
	enum ftun_stat reason;

	dev = dev_get_by_index_rcu(fn->net, usage->ifindex);
	if (!dev)
		return false;
	memset(sum, 0, sizeof(*sum));
	dev_get_stats(dev, &stats);
	is_tunnel(dev, &reason);
	if (reason == FTUN_OK &&
	    !ftun_settings_allowed(fn, FTUN_NL_RULE_TUNNEL, dev))
		reason = FTUN_STAT_refuse_denied;
	sum->reason = reason;
	sum->ifindex = usage->ifindex;
	sum->rx_packets = stats.rx_packets - usage->rx_before;
	sum->tx_packets = stats.tx_packets - usage->tx_before;
	sum->rx_fast = atomic64_read(&usage->rx_ended);
	sum->tx_fast = atomic64_read(&usage->tx_ended);
	strscpy(sum->name, dev->name, sizeof(sum->name));
	return true;
}

/**
 * ftun_usage_next() - add up how tunnels are used
 * @fn:    where
 * @after: begin with the first tunnel whose index is greater
 * @sums:  one for each tunnel, by index
 * @most:  room in @sums
 *
 * Context: process.
 * Return: how many there are.
 */
unsigned int ftun_usage_next(struct ftun_net *fn, u32 after,
			     struct ftun_usage_sum *sums, unsigned int most)
{
	const struct ftun_usage *usage;
	unsigned long ifindex = after;
	unsigned int count = 0;

	rcu_read_lock();
	while (count < most) {
		usage = xa_find_after(&fn->tunnels, &ifindex, U32_MAX,
				      XA_PRESENT);
		if (!usage)
			break;
		if (sum_begin(fn, usage, &sums[count]))
			count++;
	}
	rcu_read_unlock();
	if (count)
		sum_flows(fn, sums, count);
	return count;
}

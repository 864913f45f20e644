// SPDX-License-Identifier: GPL-2.0
/*
 * What tunnels have been used for. Packets are counted by the paths alone, which
 * costs the fast path nothing; what a path has counted is added up here when it
 * ends, and the rest by who asks, see usage_sum.c.
 */
#include "usage.h"

#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "net.h"
#include "path.h"
#include "tunnel.h"

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
		if (ftun_tunnel_is(dev, &reason))
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
 * @path: the path
 * @in:   index of the device that its inner packets came in by
 * @out:  index of the device that they went out by
 *
 * Context: BH off, the path's flow locked.
 */
void ftun_usage_ended(struct ftun_net *fn, const struct ftun_path *path, u32 in,
		      u32 out)
{
	struct ftun_usage *usage;

	rcu_read_lock();
	usage = xa_load(&fn->tunnels, in);
	if (usage && path->what & FTUN_PATH_DECAP)
		atomic64_add(READ_ONCE(path->packets), &usage->rx_ended);
	usage = xa_load(&fn->tunnels, out);
	if (usage && path->what & FTUN_PATH_ENCAP)
		atomic64_add(READ_ONCE(path->packets), &usage->tx_ended);
	rcu_read_unlock();
}

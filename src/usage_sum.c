// SPDX-License-Identifier: GPL-2.0
/* How much of a tunnel's traffic is fast: what paths have counted, added up. */
#include "usage_sum.h"

#include <linux/netdevice.h>
#include <uapi/linux/nf_flowtable_tun.h>

#include "flow.h"
#include "net.h"
#include "settings.h"
#include "tunnel.h"
#include "usage.h"

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

static void sum_flows(struct ftun_net *fn, struct ftun_usage_sum *sums,
		      unsigned int count)
{
	struct ftun_flow *flow;
	unsigned int visits = 0;
	unsigned long id = 0;
	int i;

	rcu_read_lock();
	while ((flow = ftun_flow_next(fn, &id, ULONG_MAX, &visits))) {
		spin_lock_bh(&flow->lock);
		for (i = 0; i < IP_CT_DIR_MAX; i++)
			sum_dir(sums, count, &flow->dir[i]);
		spin_unlock_bh(&flow->lock);
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
	ftun_tunnel_is(dev, &reason);
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
 * ftun_usage_sum_next() - add up how tunnels are used
 * @fn:    where
 * @after: begin with the first tunnel whose index is greater
 * @sums:  one for each tunnel, by index
 * @most:  room in @sums
 *
 * Context: process.
 * Return: how many there are.
 */
unsigned int ftun_usage_sum_next(struct ftun_net *fn, u32 after,
				 struct ftun_usage_sum *sums,
				 unsigned int most)
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

// SPDX-License-Identifier: GPL-2.0
/*
 * What people can read:
 *
 *	/proc/net/stat/nf_flowtable_tun		counters
 *	/proc/net/nf_flowtable_tun		connections, a line for each direction
 */
#include "proc.h"

#include <linux/netdevice.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <net/route.h>

#include "flow.h"
#include "netns.h"

#define PROC_NAME	"nf_flowtable_tun"

static int stat_show(struct seq_file *seq, void *v)
{
	ftun_stats_show(seq, ftun_net_get(seq_file_single_net(seq))->stats);
	return 0;
}

static const char *const state_names[] = {
	[FTUN_LEARNING]	= "learning",
	[FTUN_PROVEN]	= "proven",
	[FTUN_ARMED]	= "armed",
	[FTUN_STALE]	= "stale",
	[FTUN_REFUSED]	= "refused",
	[FTUN_DEAD]	= "dead",
};

static void show_dev(struct seq_file *seq, const char *what, u32 ifindex)
{
	struct net_device *dev = dev_get_by_index_rcu(seq_file_net(seq),
						      ifindex);

	seq_printf(seq, " %s=%s", what, dev ? dev->name : "?");
}

static void show_tuple(struct seq_file *seq,
		       const struct nf_conntrack_tuple *tuple)
{
	seq_printf(seq, " src=%pI4 dst=%pI4 sport=%u dport=%u",
		   &tuple->src.u3.ip, &tuple->dst.u3.ip,
		   ntohs(tuple->src.u.all), ntohs(tuple->dst.u.all));
}

static void show_nat(struct seq_file *seq, const struct ftun_nat *nat)
{
	seq_printf(seq, " to-src=%pI4 to-dst=%pI4 to-sport=%u to-dport=%u",
		   &nat->saddr, &nat->daddr, ntohs(nat->sport),
		   ntohs(nat->dport));
}

static void show_path(struct seq_file *seq, const struct ftun_path *path)
{
	const struct rtable *wire = path->outer_rt ?: path->rt;

	show_dev(seq, "in", path->tuple.iif);
	if (path->what & FTUN_PATH_DECAP)
		seq_printf(seq, " decap=ipip outer-src=%pI4 outer-dst=%pI4",
			   &path->tuple.outer_saddr, &path->tuple.outer_daddr);
	if (path->what & FTUN_PATH_NAT)
		show_nat(seq, &path->nat);
	if (path->what & FTUN_PATH_ENCAP)
		seq_printf(seq, " encap=ipip to-outer-src=%pI4 to-outer-dst=%pI4",
			   &path->outer.hdr.saddr, &path->outer.hdr.daddr);
	seq_printf(seq, " out=%s mtu=%u packets=%llu bytes=%llu",
		   wire->dst.dev->name, path->mtu, READ_ONCE(path->packets),
		   READ_ONCE(path->bytes));
}

static void show_mismatch(struct seq_file *seq,
			  const struct ftun_mismatch *mismatch)
{
	seq_printf(seq, " slow=%*phN fast=%*phN",
		   min_t(int, mismatch->len, 64), mismatch->slow,
		   min_t(int, mismatch->len, 64), mismatch->fast);
}

static void show_dir(struct seq_file *seq, const struct ftun_flow *flow, int i)
{
	const struct ftun_dir *dir = &flow->dir[i];

	lockdep_assert_held(&flow->lock);
	seq_printf(seq, "%s %s %s",
		   nf_ct_protonum(flow->ct) == IPPROTO_TCP ? "tcp" : "udp",
		   i == IP_CT_DIR_ORIGINAL ? "original" : "reply",
		   state_names[dir->state]);
	if (dir->reason != FTUN_OK)
		seq_printf(seq, " reason=%s", ftun_stat_name(dir->reason));
	show_tuple(seq, &flow->ct->tuplehash[i].tuple);
	if (dir->path)
		show_path(seq, dir->path);
	if (dir->mismatch)
		show_mismatch(seq, dir->mismatch);
	seq_putc(seq, '\n');
}

static void show_flow(struct seq_file *seq, struct ftun_flow *flow)
{
	int i;

	spin_lock_bh(&flow->lock);
	for (i = 0; i < IP_CT_DIR_MAX; i++)
		show_dir(seq, flow, i);
	spin_unlock_bh(&flow->lock);
}

static struct bucket_table *flows_table(struct seq_file *seq)
{
	struct ftun_net *fn = ftun_net_get(seq_file_net(seq));

	return rcu_dereference(fn->flows.tbl);
}

/* Bucket by bucket, so that a read can go on where the last one ended. Flows that
 * are moved to a larger or smaller table meanwhile can be missed.
 */
static void *flows_start(struct seq_file *seq, loff_t *pos)
	__acquires(RCU)
{
	rcu_read_lock();
	return *pos < flows_table(seq)->size ? pos : NULL;
}

static void *flows_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	return *pos < flows_table(seq)->size ? pos : NULL;
}

static void flows_stop(struct seq_file *seq, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

static int flows_show(struct seq_file *seq, void *v)
{
	const struct bucket_table *table = flows_table(seq);
	const loff_t *bucket = v;
	struct ftun_flow *flow;
	struct rhash_head *pos;

	if (*bucket >= table->size)
		return 0;
	rht_for_each_entry_rcu(flow, pos, table, *bucket, node)
		show_flow(seq, flow);
	return 0;
}

static const struct seq_operations flows_ops = {
	.start	= flows_start,
	.next	= flows_next,
	.stop	= flows_stop,
	.show	= flows_show,
};

int ftun_proc_net_init(struct net *net)
{
	if (!proc_create_net_single(PROC_NAME, 0444, net->proc_net_stat,
				    stat_show, NULL))
		return -ENOMEM;
	if (proc_create_net(PROC_NAME, 0440, net->proc_net, &flows_ops,
			    sizeof(struct seq_net_private)))
		return 0;
	remove_proc_entry(PROC_NAME, net->proc_net_stat);
	return -ENOMEM;
}

void ftun_proc_net_exit(struct net *net)
{
	remove_proc_entry(PROC_NAME, net->proc_net);
	remove_proc_entry(PROC_NAME, net->proc_net_stat);
}

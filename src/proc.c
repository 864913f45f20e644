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

#include "flow.h"
#include "net.h"

#define PROC_NAME	"nf_flowtable_tun"
/* Most that %ph prints at once */
#define FTUN_HEX_MAX	64

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

static void show_addr(struct seq_file *seq, const char *what, const void *addr,
		      bool v6)
{
	if (v6)
		seq_printf(seq, " %s=%pI6c", what, addr);
	else
		seq_printf(seq, " %s=%pI4", what, addr);
}

static void show_tuple(struct seq_file *seq,
		       const struct nf_conntrack_tuple *tuple)
{
	bool v6 = tuple->src.l3num == AF_INET6;

	show_addr(seq, "src", &tuple->src.u3, v6);
	show_addr(seq, "dst", &tuple->dst.u3, v6);
	seq_printf(seq, " sport=%u dport=%u", ntohs(tuple->src.u.all),
		   ntohs(tuple->dst.u.all));
}

static void show_nat(struct seq_file *seq, struct ftun_nat *nat, bool v6)
{
	show_addr(seq, "to-src", ftun_nat_saddr(nat), v6);
	show_addr(seq, "to-dst", ftun_nat_daddr(nat, v6), v6);
	seq_printf(seq, " to-sport=%u to-dport=%u", ntohs(nat->sport),
		   ntohs(nat->dport));
}

/* As in "ip link add type NAME", or near to it */
static const char *encap_name(bool gre, bool outer6)
{
	if (gre)
		return outer6 ? "ip6gre" : "gre";
	return outer6 ? "ip6tnl" : "ipip";
}

static void show_decap(struct seq_file *seq, const struct ftun_tuple *tuple)
{
	bool v6 = ftun_tuple_outer6(tuple);

	seq_printf(seq, " decap=%s%s",
		   encap_name(tuple->encap == FTUN_ENCAP_GRE, v6),
		   tuple->shape & FTUN_SHAPE_UDP ? "-in-udp" : "");
	show_addr(seq, "outer-src", ftun_tuple_outer_saddr(tuple), v6);
	show_addr(seq, "outer-dst", ftun_tuple_outer_daddr(tuple), v6);
	if (tuple->shape & FTUN_SHAPE_GRE_KEY)
		seq_printf(seq, " key=%u", ntohl(ftun_tuple_key(tuple)));
}

static void show_encap(struct seq_file *seq, const struct ftun_outer *outer)
{
	const u8 *saddr = outer->hdr + (outer->v6 ? 8 : 12);

	seq_printf(seq, " encap=%s%s", encap_name(outer->gre, outer->v6),
		   outer->udp ? "-in-udp" : "");
	show_addr(seq, "to-outer-src", saddr, outer->v6);
	show_addr(seq, "to-outer-dst", saddr + (outer->v6 ? 16 : 4), outer->v6);
}

static void show_path(struct seq_file *seq, struct ftun_path *path)
{
	struct ftun_tuple tuple;

	ftun_path_tuple(path, &tuple);
	show_dev(seq, "in", tuple.iif);
	if (path->what & FTUN_PATH_DECAP)
		show_decap(seq, &tuple);
	if (path->what & FTUN_PATH_NAT)
		show_nat(seq, ftun_path_nat(path), ftun_path_inner6(path));
	if (path->what & FTUN_PATH_ENCAP)
		show_encap(seq, &path->way->outer);
	seq_printf(seq, " out=%s mtu=%u packets=%llu bytes=%llu",
		   ftun_path_wire_route(path)->dst->dev->name, path->way->mtu,
		   READ_ONCE(path->packets), READ_ONCE(path->bytes));
}

static void show_bytes(struct seq_file *seq, const char *name, const u8 *bytes,
		       int len)
{
	int at;

	seq_printf(seq, " %s=", name);
	for (at = 0; at < len; at += FTUN_HEX_MAX)
		seq_printf(seq, "%*phN", min(len - at, FTUN_HEX_MAX), bytes + at);
}

static void show_mismatch(struct seq_file *seq,
			  const struct ftun_mismatch *mismatch)
{
	show_bytes(seq, "slow", mismatch->slow, mismatch->len);
	show_bytes(seq, "fast", mismatch->fast, mismatch->len);
}

static void show_dir(struct seq_file *seq, const struct ftun_flow *flow, int i)
{
	const struct ftun_mismatch *mismatch = ftun_flow_mismatch(flow, i);
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
	if (mismatch)
		show_mismatch(seq, mismatch);
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

// SPDX-License-Identifier: GPL-2.0
/* Network namespaces come and go, each with all of the module in it. */
#include "netns.h"

#include "devices.h"
#include "flow.h"
#include "learn.h"
#include "net.h"
#include "policy.h"
#include "proc.h"
#include "settings.h"
#include "table.h"
#include "usage.h"

static int netns_init_tables(struct ftun_net *fn)
{
	int err;

	fn->stats = alloc_percpu(struct ftun_stats);
	if (!fn->stats)
		return -ENOMEM;
	err = ftun_settings_net_init(fn);
	if (err)
		goto free_stats;
	ftun_usage_net_init(fn);
	err = ftun_table_init(fn);
	if (err)
		goto free_settings;
	err = ftun_flow_net_init(fn);
	if (err)
		goto free_table;
	return 0;

free_table:
	ftun_table_exit(fn);
free_settings:
	ftun_settings_net_exit(fn);
free_stats:
	free_percpu(fn->stats);
	return err;
}

static void netns_exit_tables(struct ftun_net *fn)
{
	ftun_flow_net_exit(fn);
	ftun_policy_net_exit(fn);
	ftun_table_exit(fn);
	ftun_usage_net_exit(fn);
	ftun_settings_net_exit(fn);
	free_percpu(fn->stats);
}

static int __net_init netns_init(struct net *net)
{
	struct ftun_net *fn = ftun_net_get(net);
	int err;

	fn->net = net;
	spin_lock_init(&fn->fou.lock);
	ftun_devices_net_init(fn);
	err = netns_init_tables(fn);
	if (err)
		return err;
	err = ftun_policy_net_init(fn);
	if (err)
		goto free_tables;
	err = ftun_proc_net_init(net);
	if (err)
		goto stop_policy;
	err = ftun_learn_net_init(fn);
	if (err)
		goto free_proc;
	return 0;

free_proc:
	WRITE_ONCE(fn->leaving, true);
	/* Packets of a namespace that was there before may be in one of the hooks. */
	synchronize_rcu();
	cancel_work_sync(&fn->hook_work);
	ftun_proc_net_exit(net);
stop_policy:
	ftun_policy_net_pre_exit(fn);
free_tables:
	fn->leaving = true;
	netns_exit_tables(fn);
	return err;
}

/* Between this and the next a grace period passes: no packet is in a hook then. */
static void __net_exit netns_pre_exit(struct net *net)
{
	struct ftun_net *fn = ftun_net_get(net);

	WRITE_ONCE(fn->leaving, true);
	ftun_learn_net_pre_exit(fn);
	ftun_devices_net_pre_exit(fn);
	ftun_policy_net_pre_exit(fn);
	/* Devices go next, and wait for who has their neighbours. */
	if (atomic_read(&fn->flows.nelems))
		mod_delayed_work(ftun_workqueue, &fn->gc_work, 0);
}

static void __net_exit netns_exit(struct net *net)
{
	struct ftun_net *fn = ftun_net_get(net);

	/* The last packets may have asked for hooks when it had been cancelled. */
	cancel_work_sync(&fn->hook_work);
	ftun_proc_net_exit(net);
	netns_exit_tables(fn);
}

/* What flows and ways hold of routes is gone before IPv6 forgets how many there are,
 * ip6_route_net_exit().
 */
static void __net_exit netns_exit_batch(struct list_head *nets)
{
	rcu_barrier();
}

static struct pernet_operations netns_ops = {
	.init		= netns_init,
	.pre_exit	= netns_pre_exit,
	.exit		= netns_exit,
	.exit_batch	= netns_exit_batch,
	.id		= &ftun_net_id,
	.size		= sizeof(struct ftun_net),
};

int ftun_netns_init(void)
{
	int err;

	ftun_workqueue = alloc_workqueue("nf_flowtable_tun", WQ_UNBOUND, 0);
	if (!ftun_workqueue)
		return -ENOMEM;
	err = register_pernet_subsys(&netns_ops);
	if (err)
		destroy_workqueue(ftun_workqueue);
	return err;
}

void ftun_netns_exit(void)
{
	unregister_pernet_subsys(&netns_ops);
	destroy_workqueue(ftun_workqueue);
}

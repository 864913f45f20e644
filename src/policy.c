// SPDX-License-Identifier: GPL-2.0
/*
 * A proof holds for as long as what it stood on does. Nothing is torn down when
 * that changes: a number changes, and each flow's next packet finds out and takes
 * the slow path, where it proves the flow anew.
 */
#include "policy.h"

#include <linux/container_of.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netlink.h>
#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>

#include "compat/hook.h"

/**
 * ftun_policy_changed() - make every flow prove itself again
 * @fn: where
 *
 * Context: any. The change must be visible to other CPUs before.
 */
void ftun_policy_changed(struct ftun_net *fn)
{
	atomic_inc_return(&fn->generation);
	ftun_net_gc_soon(fn);
}

/* A BPF program, a table of legacy iptables, or what is not known. Nothing else has data
 * of its own but our own hooks: nftables gives its type, and so does NAT or has its
 * priorities. Kernels from before 2026 free NAT's at once; of one that goes just now
 * anything may be read, and once.
 */
static bool is_untold(const struct ftun_net *fn, const struct nf_hook_entry *hook,
		      const struct nf_hook_ops *ops)
{
	if (nf_hook_is_bpf(ops))
		return true;
	return hook->priv && hook->priv != fn &&
	       ops->hook_ops_type == NF_HOOK_OP_UNDEFINED &&
	       ops->priority != NF_IP_PRI_NAT_DST &&
	       ops->priority != NF_IP_PRI_NAT_SRC;
}

static bool has_untold(const struct ftun_net *fn,
		       const struct nf_hook_entries *hooks)
{
	struct nf_hook_ops **ops;
	int i;

	if (!hooks)
		return false;
	ops = nf_hook_entries_get_hook_ops(hooks);
	for (i = 0; i < hooks->num_hook_entries; i++)
		if (is_untold(fn, &hooks->hooks[i], ops[i]))
			return true;
	return false;
}

static bool has_untold_hooks(const struct ftun_net *fn)
{
	const struct netns_nf *nf = &fn->net->nf;
	bool untold = false;
	int i;

	rcu_read_lock();
	for (i = 0; i < NF_INET_NUMHOOKS && !untold; i++)
		untold = has_untold(fn, rcu_dereference(nf->hooks_ipv4[i])) ||
			 has_untold(fn, rcu_dereference(nf->hooks_ipv6[i]));
	rcu_read_unlock();
	return untold;
}

/* Who writes to a set of ipset's tells nobody, and rules of nftables can ask for one too,
 * as `iptables-nft -m set` does. Somebody uses them if the module is there.
 */
static bool has_ipset(void)
{
#if IS_MODULE(CONFIG_IP_SET)
	if (!symbol_get(ip_set_test))
		return false;
	symbol_put(ip_set_test);
	return true;
#else
	return false;
#endif
}

/**
 * ftun_policy_ipsec() - may IPsec have a say in any packet of a namespace?
 * @net: where
 *
 * A policy that says something of packets says it of routes too.
 */
bool ftun_policy_ipsec(const struct net *net)
{
#ifdef CONFIG_XFRM
	int dir;

	for (dir = 0; dir < XFRM_POLICY_MAX; dir++)
		if (READ_ONCE(net->xfrm.policy_count[dir]) ||
		    READ_ONCE(net->xfrm.policy_default[dir]) !=
		    XFRM_USERPOLICY_ACCEPT)
			return true;
#endif
	return false;
}

/* Policies that come are seen by rt_genid; those that go or expire, and states, are
 * announced only.
 */
static void ipsec_told(struct ftun_listener *listener)
{
	ftun_policy_changed(container_of(listener, struct ftun_net, ipsec));
}

/* Who announces them is a module, xfrm_user, that may be loaded later, or not at all if
 * policies are made by PF_KEY.
 */
static void ipsec_listen(struct ftun_net *fn)
{
#ifdef CONFIG_XFRM
	if (!rcu_access_pointer(fn->net->xfrm.nlsk))
		return;
	fn->ipsec.heard = ipsec_told;
	ftun_listener_start(&fn->ipsec, fn->net, NETLINK_XFRM,
			    BIT(XFRMNLGRP_EXPIRE - 1) | BIT(XFRMNLGRP_SA - 1) |
			    BIT(XFRMNLGRP_POLICY - 1));
#endif
}

/* What happened before somebody listened was not heard. */
static bool has_untold_ipsec(struct ftun_net *fn)
{
	if (fn->ipsec.sock)
		return false;
	ipsec_listen(fn);
	return ftun_policy_ipsec(fn->net);
}

/* What becomes of policies and states is announced with memory that may not be there, and then
 * not at all: xfrm_notify_policy(), xfrm_exp_policy_notify(), xfrm_notify_sa(). But one that comes
 * or goes is one more or less.
 */
static bool ipsec_changed(struct ftun_net *fn)
{
	u32 count = 0, before = fn->ipsec_count;
#ifdef CONFIG_XFRM
	int dir;

	for (dir = 0; dir < XFRM_POLICY_MAX; dir++)
		count += READ_ONCE(fn->net->xfrm.policy_count[dir]);
	count += READ_ONCE(fn->net->xfrm.state_num) << 16;
#endif
	fn->ipsec_count = count;
	return count != before;
}

/* ftun_policy_tick() has not been called for long, but will be from now on. */
void ftun_policy_begin(struct ftun_net *fn)
{
	ipsec_changed(fn);
}

/**
 * ftun_policy_tick() - let no proof get old where rules change untold
 * @fn: where
 *
 * Who replaces the rules of a legacy table (xt_replace_table()) tells nobody, nor does
 * who attaches a BPF program or writes to its maps, or to a set of ipset's. In a namespace
 * with such every flow proves itself again with each call.
 *
 * Context: process, once a second while there are flows.
 */
void ftun_policy_tick(struct ftun_net *fn)
{
	bool changed = ipsec_changed(fn);

	if (has_untold_ipsec(fn) || changed || has_untold_hooks(fn) || has_ipset())
		atomic_inc_return(&fn->generation);
}

/* inet_netconf_notify_devconf(), inet6_netconf_notify_devconf(): forwarding, which routes
 * notice too, rp_filter and what is to become of routes by links that are down, which
 * nothing else does. And tc, which may ask for what paths do not give as long as
 * nobody does: ftun_xmit_asks_ct().
 */
static void rtnetlink_told(struct ftun_listener *listener)
{
	ftun_policy_changed(container_of(listener, struct ftun_net, rtnetlink));
}

/* inet6_rt_notify(): rt_genid_ipv6() does not move when a route is deleted. Nor does it
 * when an address is no longer preferred, inet6_ifa_notify(): who has a tunnel choose
 * its source can get another one.
 */
static void routes6_told(struct ftun_listener *listener)
{
	atomic_inc_return(&container_of(listener, struct ftun_net,
					routes6)->routes6_told);
}

/* nexthop_notify(): replace_nexthop() flushes the routes of the one that is replaced, but
 * not those of groups that it is in.
 */
static void nexthops_told(struct ftun_listener *listener)
{
	atomic_inc_return(&container_of(listener, struct ftun_net,
					nexthops)->nexthops_told);
}

int ftun_policy_net_init(struct ftun_net *fn)
{
	int err;

	/* Any, so that strangers of a namespace that has gone are none here. */
	atomic_set(&fn->generation, get_random_u32());
	err = nft_watch_start(&fn->nft, fn->net);
	if (err)
		return err;
	fn->rtnetlink.heard = rtnetlink_told;
	err = ftun_listener_start(&fn->rtnetlink, fn->net, NETLINK_ROUTE,
				  BIT(RTNLGRP_IPV4_NETCONF - 1) |
				  BIT(RTNLGRP_IPV6_NETCONF - 1) |
				  BIT(RTNLGRP_TC - 1));
	if (err)
		goto stop_nft;
	fn->routes6.heard = routes6_told;
	err = ftun_listener_start(&fn->routes6, fn->net, NETLINK_ROUTE,
				  BIT(RTNLGRP_IPV6_ROUTE - 1) |
				  BIT(RTNLGRP_IPV6_IFADDR - 1));
	if (err)
		goto stop_rtnetlink;
	fn->nexthops.heard = nexthops_told;
	err = ftun_listener_start(&fn->nexthops, fn->net, NETLINK_ROUTE,
				  BIT(RTNLGRP_NEXTHOP - 1));
	if (err)
		goto stop_routes6;
	ipsec_listen(fn);
	return 0;

stop_routes6:
	ftun_listener_stop(&fn->routes6);
stop_rtnetlink:
	ftun_listener_stop(&fn->rtnetlink);
stop_nft:
	nft_watch_stop(&fn->nft);
	return err;
}

void ftun_policy_net_pre_exit(struct ftun_net *fn)
{
	ftun_listener_stop(&fn->nexthops);
	ftun_listener_stop(&fn->routes6);
	ftun_listener_stop(&fn->rtnetlink);
	nft_watch_stop(&fn->nft);
}

/* After the last ftun_policy_tick(). */
void ftun_policy_net_exit(struct ftun_net *fn)
{
	if (fn->ipsec.sock)
		ftun_listener_stop(&fn->ipsec);
}

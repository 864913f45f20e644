// SPDX-License-Identifier: GPL-2.0
/*
 * A proof holds for as long as what it stood on does. Nothing is torn down when
 * that changes: a number changes, and each flow's next packet finds out and takes
 * the slow path, where it proves the flow anew.
 */
#include "policy.h"

#include <linux/container_of.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/**
 * ftun_policy_changed() - make every flow prove itself again
 * @fn: where
 *
 * Context: any. The change must be visible to other CPUs before.
 */
void ftun_policy_changed(struct ftun_net *fn)
{
	atomic_inc_return(&fn->generation);
	ftun_flow_gc_kick(fn);
}

/* inet_netconf_notify_devconf(): forwarding, which routes notice too, and rp_filter,
 * which nothing else does.
 */
static void netconf_changed(struct ftun_listener *listener)
{
	ftun_policy_changed(container_of(listener, struct ftun_net, netconf));
}

int ftun_policy_net_init(struct ftun_net *fn)
{
	int err;

	err = nft_watch_start(&fn->nft, fn->net);
	if (err)
		return err;
	fn->netconf.heard = netconf_changed;
	err = ftun_listener_start(&fn->netconf, fn->net, NETLINK_ROUTE,
				  RTNLGRP_IPV4_NETCONF);
	if (err)
		nft_watch_stop(&fn->nft);
	return err;
}

void ftun_policy_net_exit(struct ftun_net *fn)
{
	ftun_listener_stop(&fn->netconf);
	nft_watch_stop(&fn->nft);
}

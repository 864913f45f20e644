// SPDX-License-Identifier: GPL-2.0
/* Sees changes of the nftables ruleset, which no kernel tells a module otherwise. */
#include "nft.h"

#if IS_ENABLED(CONFIG_NF_TABLES)

#include <linux/container_of.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

/* In the context of who changes the rules, with nf_tables' commit mutex held. */
static void nft_announced(struct ftun_listener *listener)
{
	atomic_inc(&container_of(listener, struct nft_watch, listener)->changes);
}

/**
 * nft_watch_start() - begin to listen to nftables' announcements
 * @watch: zeroed
 * @net:   where
 *
 * nfnetlink is loaded by then, since the module uses its symbol.
 */
int nft_watch_start(struct nft_watch *watch, struct net *net)
{
	int err;

	watch->listener.heard = nft_announced;
	err = ftun_listener_start(&watch->listener, net, NETLINK_NETFILTER,
				  BIT(NFNLGRP_NFTABLES - 1));
	if (err)
		return err;
	if (nfnetlink_has_listeners(net, NFNLGRP_NFTABLES))
		return 0;
	nft_watch_stop(watch);
	return -EPROTO;
}

void nft_watch_stop(struct nft_watch *watch)
{
	ftun_listener_stop(&watch->listener);
}

#endif

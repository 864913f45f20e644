// SPDX-License-Identifier: GPL-2.0
/* For kernels that keep the ruleset's sequence number to nf_tables itself. */
#include "nft.h"

#if !defined(FTUN_HAVE_NFT_BASE_SEQ) && IS_ENABLED(CONFIG_NF_TABLES)

#include <linux/net.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/sock.h>

/* In the context of who changes the rules, with nf_tables' commit mutex held. */
static void nft_announced(struct sock *sk)
{
	struct nft_watch *watch = sk->sk_user_data;

	atomic_inc(&watch->changes);
	skb_queue_purge(&sk->sk_receive_queue);
}

/**
 * nft_watch_start() - begin to listen to nftables' announcements
 * @watch: zeroed
 * @net:   where
 *
 * nfnetlink has to be loaded by then, since asking for it while a namespace is
 * set up would wait for that to end: our use of its symbol sees to it.
 */
int nft_watch_start(struct nft_watch *watch, struct net *net)
{
	struct sockaddr_nl addr = {
		.nl_family	= AF_NETLINK,
		.nl_groups	= BIT(NFNLGRP_NFTABLES - 1),
	};
	int err;

	err = sock_create_kern(net, PF_NETLINK, SOCK_RAW, NETLINK_NETFILTER,
			       &watch->sock);
	if (err)
		return err;
	watch->sock->sk->sk_user_data = watch;
	watch->sock->sk->sk_data_ready = nft_announced;
	err = kernel_bind(watch->sock, (struct sockaddr *)&addr, sizeof(addr));
	if (!err && !nfnetlink_has_listeners(net, NFNLGRP_NFTABLES))
		err = -EPROTO;
	if (err)
		nft_watch_stop(watch);
	return err;
}

void nft_watch_stop(struct nft_watch *watch)
{
	sock_release(watch->sock);
	watch->sock = NULL;
}

#endif

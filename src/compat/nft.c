// SPDX-License-Identifier: GPL-2.0
/* Sees changes of the nftables ruleset, which no kernel tells a module otherwise. */
#include "nft.h"

#if IS_ENABLED(CONFIG_NF_TABLES)

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

/* An announcement could not be made for lack of memory. Asking for one that is not
 * there is what ends the socket's congestion, with which it would get no more.
 */
static void nft_missed(struct sock *sk)
{
	struct nft_watch *watch = sk->sk_user_data;
	struct msghdr msg = {};
	struct kvec none = {};

	nft_announced(sk);
	kernel_recvmsg(watch->sock, &msg, &none, 0, 0, MSG_DONTWAIT);
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
	watch->sock->sk->sk_error_report = nft_missed;
	err = kernel_bind(watch->sock, (void *)&addr, sizeof(addr));
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

// SPDX-License-Identifier: GPL-2.0
/*
 * Some changes are announced to user space only. A netlink socket in the kernel
 * hears of them in the context of who makes them, before his call returns. What
 * is said is of no interest, only that something is.
 */
#include "listener.h"

#include <linux/err.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <net/sock.h>

static void listener_data_ready(struct sock *sk)
{
	struct ftun_listener *listener = sk->sk_user_data;

	listener->heard(listener);
	skb_queue_purge(&sk->sk_receive_queue);
}

/* An announcement could not be made for lack of memory. Asking for one that is not
 * there is what ends the socket's congestion, with which it would get no more.
 */
static void listener_missed(struct sock *sk)
{
	struct ftun_listener *listener = sk->sk_user_data;
	struct msghdr msg = {};
	struct kvec none = {};

	listener_data_ready(sk);
	kernel_recvmsg(listener->sock, &msg, &none, 0, 0, MSG_DONTWAIT);
}

/* To the kernel: what others send is refused. */
static int listener_connect(struct ftun_listener *listener)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };

	return kernel_connect(listener->sock, (void *)&addr, sizeof(addr), 0);
}

/**
 * ftun_listener_start() - begin to listen to one or more groups
 * @listener: zeroed but for what is to be called
 * @net:      where
 * @protocol: NETLINK_*, of a part of the kernel that is there already: waiting for
 *            one to be loaded would wait for ever while a namespace is set up
 * @groups:   their bits
 *
 * Context: process.
 * Return: 0 or a negative error.
 */
int ftun_listener_start(struct ftun_listener *listener, struct net *net,
			int protocol, u32 groups)
{
	struct sockaddr_nl addr = {
		.nl_family	= AF_NETLINK,
		.nl_groups	= groups,
	};
	int err;

	err = sock_create_kern(net, PF_NETLINK, SOCK_RAW, protocol,
			       &listener->sock);
	if (err)
		return err;
	listener->sock->sk->sk_user_data = listener;
	listener->sock->sk->sk_data_ready = listener_data_ready;
	listener->sock->sk->sk_error_report = listener_missed;
	err = kernel_bind(listener->sock, (void *)&addr, sizeof(addr));
	if (!err)
		err = listener_connect(listener);
	if (err)
		ftun_listener_stop(listener);
	return err;
}

/* Nothing is heard any more after this. */
void ftun_listener_stop(struct ftun_listener *listener)
{
	sock_release(listener->sock);
	listener->sock = NULL;
}

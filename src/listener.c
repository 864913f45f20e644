// SPDX-License-Identifier: GPL-2.0
/*
 * Some changes are announced to user space only. A netlink socket in the kernel
 * hears of them in the context of who makes them, before his call returns. What
 * is said is of no interest, only that something is.
 */
#include "listener.h"

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/random.h>
#include <linux/sched/task.h>
#include <linux/uio.h>
#include <net/sock.h>

/* Asking for an announcement that is not there is what ends the socket's congestion,
 * with which it would get no more: netlink_rcv_wake(). Not by kernel_recvmsg(): a
 * security module may sleep in that, and here nobody may.
 */
static void listener_end_congestion(struct ftun_listener *listener)
{
	struct socket *sock = listener->sock;
	struct msghdr msg = {};
	struct kvec none = {};

	iov_iter_kvec(&msg.msg_iter, READ, &none, 0, 0);
	sock->ops->recvmsg(sock, &msg, 0, MSG_DONTWAIT);
}

/* One that came while the congestion was to end has kept it from ending. */
static void listener_data_ready(struct sock *sk)
{
	struct ftun_listener *listener = sk->sk_user_data;

	listener->heard(listener);
	skb_queue_purge(&sk->sk_receive_queue);
	if (READ_ONCE(listener->missed))
		listener_end_congestion(listener);
}

/* An announcement could not be made for lack of memory; nor could those until the
 * congestion is over, so that this is heard last.
 */
static void listener_missed(struct sock *sk)
{
	struct ftun_listener *listener = sk->sk_user_data;

	WRITE_ONCE(listener->missed, true);
	skb_queue_purge(&sk->sk_receive_queue);
	listener_end_congestion(listener);
	listener->heard(listener);
}

/* A port that is no process's: the one of who happens to make the namespace may be
 * wanted by himself.
 */
static u32 random_port(void)
{
	return BIT(31) | get_random_u32() >> 2;
}

/* As the kernel: who makes a namespace need not be one who may listen in it. */
static int listener_bind(struct ftun_listener *listener, u32 groups)
{
	struct sockaddr_nl addr = {
		.nl_family	= AF_NETLINK,
		.nl_groups	= groups,
	};
	struct cred *kernel = prepare_kernel_cred(&init_task);
	const struct cred *caller;
	int err;

	if (!kernel)
		return -ENOMEM;
	caller = override_creds(kernel);
	do {
		addr.nl_pid = random_port();
		err = kernel_bind(listener->sock, (void *)&addr, sizeof(addr));
	} while (err == -EADDRINUSE);
	revert_creds(caller);
	put_cred(kernel);
	return err;
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
	int err;

	err = sock_create_kern(net, PF_NETLINK, SOCK_RAW, protocol,
			       &listener->sock);
	if (err)
		return err;
	listener->sock->sk->sk_user_data = listener;
	listener->sock->sk->sk_data_ready = listener_data_ready;
	listener->sock->sk->sk_error_report = listener_missed;
	err = listener_bind(listener, groups);
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

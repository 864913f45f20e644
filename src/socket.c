// SPDX-License-Identifier: GPL-2.0
/*
 * The UDP sockets of FOU and GUE, which take tunnelled packets out. Nobody is told when
 * one is closed (`ip fou del`, fou_release()) or another one is nearer to the packets.
 */
#include "socket.h"

#include <linux/sock_diag.h>
#include <net/sock.h>
#include <net/udp.h>

#include "fou.h"
#include "net.h"

static struct sock *find4(struct net *net, const struct ftun_fou_port *port)
{
#if IS_ENABLED(CONFIG_NF_TPROXY_IPV4) || IS_ENABLED(CONFIG_NF_SOCKET_IPV4)
	return udp4_lib_lookup(net, port->saddr[0], port->sport, port->daddr[0],
			       port->dport, port->iif);
#else
	return NULL;
#endif
}

static struct sock *find6(struct net *net, const struct ftun_fou_port *port)
{
#if IS_ENABLED(CONFIG_NF_TPROXY_IPV6) || IS_ENABLED(CONFIG_NF_SOCKET_IPV6)
	return udp6_lib_lookup(net, (const void *)port->saddr, port->sport,
			       (const void *)port->daddr, port->dport, port->iif);
#else
	return NULL;
#endif
}

/* Another socket can be where one was that is closed, but has another cookie. */
static u64 cookie(struct sock *sk)
{
	u32 words[2];

	sock_diag_save_cookie(sk, words);
	return (u64)words[1] << 32 | words[0];
}

/**
 * ftun_socket_find() - who takes tunnelled packets out at a place?
 * @net:  where
 * @port: the place, and where a packet to it came from
 *
 * Context: RCU read side.
 * Return: the cookie of the socket; 0 if there is none, it is none of a tunnel, or the
 * kernel has no function to look for it.
 */
u64 ftun_socket_find(struct net *net, const struct ftun_fou_port *port)
{
	struct sock *sk = port->v6 ? find6(net, port) : find4(net, port);
	u64 found = 0;

	if (!sk)
		return 0;
	if (rcu_access_pointer(sk->sk_user_data))
		found = cookie(sk);
	sock_put(sk);
	return found;
}

/**
 * ftun_socket_tick() - forget the places where nobody takes packets out any more
 * @fn: where
 *
 * What comes there is plain UDP from then on.
 *
 * Context: process, once a second while there are flows.
 */
void ftun_socket_tick(struct ftun_net *fn)
{
	struct ftun_fou *fou = &fn->fou;
	unsigned int i;

	rcu_read_lock();
	spin_lock_bh(&fou->lock);
	for (i = 0; i < fou->count; i++)
		if (ftun_socket_find(fn->net, &fou->port[i]) !=
		    fou->port[i].cookie)
			WRITE_ONCE(fou->port[i].gone, true);
	spin_unlock_bh(&fou->lock);
	rcu_read_unlock();
}

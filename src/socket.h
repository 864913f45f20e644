/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_SOCKET_H
#define _FTUN_SOCKET_H

#include <linux/types.h>

struct ftun_fou_port;
struct ftun_net;
struct net;

u64 ftun_socket_find(struct net *net, const struct ftun_fou_port *port);
void ftun_socket_tick(struct ftun_net *fn);

#endif /* _FTUN_SOCKET_H */

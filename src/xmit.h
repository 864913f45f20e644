/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_XMIT_H
#define _FTUN_XMIT_H

#include <linux/netdevice.h>
#include <net/dst.h>

#include "path.h"

struct ftun_packet;
struct net;
struct sk_buff;

void ftun_xmit_count_in(struct net *net, const struct sk_buff *skb,
			const struct ftun_packet *pkt,
			const struct ftun_path *path);
void ftun_xmit_count_discard(struct net *net, const struct sk_buff *skb);
bool ftun_xmit_asks_ct(struct net_device *dev);
bool ftun_xmit_takes_hash(struct net_device *dev);
void ftun_xmit(struct net *net, struct sk_buff *skb,
	       const struct ftun_path *path);

#endif /* _FTUN_XMIT_H */

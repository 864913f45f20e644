/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_XMIT_H
#define _FTUN_XMIT_H

#include <linux/netdevice.h>
#include <net/dst.h>

#include "flow.h"

struct ftun_packet;
struct net;
struct sk_buff;

/* Bytes wanted in front of the inner header */
static inline unsigned int ftun_xmit_headroom(const struct ftun_path *path)
{
	const struct dst_entry *dst = ftun_path_wire_route(path)->dst;

	return LL_RESERVED_SPACE(dst->dev) + dst->header_len +
	       ftun_path_push(path);
}

void ftun_xmit_count_in(struct net *net, const struct sk_buff *skb,
			const struct ftun_packet *pkt,
			const struct ftun_path *path);
void ftun_xmit_count_discard(struct net *net, const struct sk_buff *skb);
void ftun_xmit(struct net *net, struct sk_buff *skb,
	       const struct ftun_path *path);

#endif /* _FTUN_XMIT_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_ASK_H
#define _FTUN_ASK_H

#include <net/net_namespace.h>

#include "route.h"

struct ftun_way;
struct net_device;
struct sk_buff;

/**
 * struct ftun_question - what the router asks its routing tables about a packet
 * @daddr: destination
 * @saddr: source
 * @tos:   TOS; IPv6 is not asked by it
 * @off:   where its header is in the packet
 * @dev:   device that it comes in by
 */
struct ftun_question {
	const __be32		*daddr;
	const __be32		*saddr;
	u8			tos;
	u32			off;
	struct net_device	*dev;
};

bool ftun_ask4_input(struct net *net, struct sk_buff *skb,
		     const struct ftun_question *ask,
		     const struct net_device *out, struct ftun_route *route);
bool ftun_ask4_local(struct net *net, struct sk_buff *skb,
		     const struct ftun_question *ask);
bool ftun_ask4_output(struct net *net, const struct ftun_way *way,
		      struct ftun_route *route);
bool ftun_ask4_input_several(struct net *net, const struct ftun_question *ask,
			     u32 mark);
bool ftun_ask4_output_several(struct net *net, const struct ftun_way *way);

bool ftun_ask6_input(struct net *net, struct sk_buff *skb,
		     const struct ftun_question *ask,
		     const struct net_device *out, struct ftun_route *route);
bool ftun_ask6_local(struct net *net, struct sk_buff *skb,
		     const struct ftun_question *ask,
		     const struct net_device *tunnel);
bool ftun_ask6_output(struct net *net, const struct ftun_way *way,
		      struct ftun_route *route);

#endif /* _FTUN_ASK_H */

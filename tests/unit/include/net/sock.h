/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_NET_SOCK_H
#define _UNIT_NET_SOCK_H

#include <linux/skbuff.h>

static inline bool skb_sk_is_prefetched(const struct sk_buff *skb)
{
	return skb->prefetched;
}

#endif /* _UNIT_NET_SOCK_H */

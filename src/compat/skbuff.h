/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_COMPAT_SKBUFF_H
#define _FTUN_COMPAT_SKBUFF_H

#include <linux/skbuff.h>

/* Drop for lack of memory, and say so where the kernel asks for a reason. */
static inline void kfree_skb_nomem(struct sk_buff *skb)
{
#ifdef FTUN_HAVE_DROP_REASON
	kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
#else
	kfree_skb(skb);
#endif
}

#endif /* _FTUN_COMPAT_SKBUFF_H */

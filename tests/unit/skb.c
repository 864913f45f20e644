// SPDX-License-Identifier: GPL-2.0
/* The fake packet: see include/linux/skbuff.h. */
#include <linux/skbuff.h>

#include <net/checksum.h>
#include <stdlib.h>

static unsigned char *copy(const void *bytes, unsigned int len)
{
	unsigned char *new = malloc(len);

	if (len && !new)
		abort();
	if (len)
		memcpy(new, bytes, len);
	return new;
}

struct sk_buff *skb_make(const void *bytes, unsigned int len,
			 unsigned int linear)
{
	struct sk_buff *skb = calloc(1, sizeof(*skb));

	if (!skb)
		abort();
	skb->len = len;
	skb->linear = linear < len ? linear : len;
	skb->all = copy(bytes, len);
	skb->data = copy(bytes, skb->linear);
	skb->protocol = htons(0x0800);
	return skb;
}

void skb_unmake(struct sk_buff *skb)
{
	free(skb->all);
	free(skb->data);
	free(skb);
}

bool pskb_may_pull(struct sk_buff *skb, unsigned int len)
{
	if (len <= skb->linear)
		return true;
	if (len > skb->len || skb->no_room)
		return false;
	if (skb->shared)	/* BUG_ON() in pskb_expand_head() */
		abort();
	free(skb->data);
	skb->data = copy(skb->all, len);
	skb->linear = len;
	return true;
}

/* May look at all of the packet, but at nothing else. */
__wsum skb_checksum(const struct sk_buff *skb, int offset, int len, __wsum csum)
{
	if (offset < 0 || len < 0 || (unsigned int)(offset + len) > skb->len)
		abort();
	return csum_partial(skb->all + offset, len, csum);
}

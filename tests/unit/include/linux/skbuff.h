/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_SKBUFF_H
#define _UNIT_LINUX_SKBUFF_H

#include <linux/types.h>

#define CHECKSUM_NONE		0
#define CHECKSUM_UNNECESSARY	1
#define CHECKSUM_COMPLETE	2
#define CHECKSUM_PARTIAL	3

#define PACKET_HOST		0
#define PACKET_BROADCAST	1
#define PACKET_MULTICAST	2
#define PACKET_OTHERHOST	3

/**
 * struct sk_buff - a packet, most of which may not be in reach yet
 * @data:     the linear part: a heap object of exactly @linear bytes, so that a read
 *            beyond what was pulled is one that ASan sees
 * @linear:   its length
 * @len:      length of the packet
 * @all:      the whole packet, for this file only
 * @no_room:  no memory to pull more than is in reach
 * @csum_at:  offset from @data of what CHECKSUM_PARTIAL is about
 *
 * Whatever needs more of the packet in @data moves all of it to another object:
 * a pointer from before is one whose use ASan sees.
 */
struct sk_buff {
	unsigned char	*data;
	unsigned int	linear;
	unsigned int	len;
	unsigned char	*all;
	bool		no_room;

	__be16		protocol;
	u8		pkt_type;
	u8		ip_summed;
	u8		csum_level;
	bool		csum_valid;
	__wsum		csum;
	int		csum_at;

	bool		shared;
	bool		vlan;
	bool		sec_path;
	bool		prefetched;
	void		*sk;
	unsigned long	_skb_refdst;
	unsigned long	_nfct;
};

static inline bool skb_shared(const struct sk_buff *skb)
{
	return skb->shared;
}

static inline bool skb_sec_path(const struct sk_buff *skb)
{
	return skb->sec_path;
}

static inline int skb_checksum_start_offset(const struct sk_buff *skb)
{
	return skb->csum_at;
}

static inline unsigned int skb_headlen(const struct sk_buff *skb)
{
	return skb->linear;
}

static inline bool skb_csum_unnecessary(const struct sk_buff *skb)
{
	return skb->ip_summed == CHECKSUM_UNNECESSARY || skb->csum_valid ||
	       (skb->ip_summed == CHECKSUM_PARTIAL &&
		skb_checksum_start_offset(skb) >= 0);
}

bool pskb_may_pull(struct sk_buff *skb, unsigned int len);
__wsum skb_checksum(const struct sk_buff *skb, int offset, int len,
		    __wsum csum);

/* Not the kernel's: what tests make and unmake packets with. */
struct sk_buff *skb_make(const void *bytes, unsigned int len,
			 unsigned int linear);
void skb_unmake(struct sk_buff *skb);

#endif /* _UNIT_LINUX_SKBUFF_H */

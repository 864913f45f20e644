// SPDX-License-Identifier: GPL-2.0
/*
 * Most packets of a router may be of connections that use no tunnel, or of some that are
 * refused. What was seen to belong to one is remembered for a second by a hash of where it
 * is, and its like go to the slow path without being looked at any further.
 *
 * It is a guess, and harmless: who is taken for a stranger is slow until the second is
 * over, or devices, routes or settings change. So nothing in a packet has to be true, but
 * only to be there, for it to be hashed.
 */
#include "stranger.h"

#include <linux/ipv6.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack.h>

struct ftun_strangers ftun_strangers __read_mostly;

/* IPv6's part of ftun_stranger_hash() */
u64 ftun_stranger_hash6(const struct ftun_net *fn, const struct sk_buff *skb,
			u32 iif)
{
	const struct ipv6hdr *ip6h = (const void *)skb->data;
	const u64 *words = (const u64 *)&ip6h->addrs;

	if (skb_headlen(skb) < sizeof(*ip6h) + sizeof(u32) ||
	    !ftun_stranger_has_ports(ip6h->nexthdr))
		return 0;
	return ftun_stranger_hash_word(words, 1) +
	       ftun_stranger_hash_word(words + 1, 2) +
	       ftun_stranger_hash_word(words + 2, 3) +
	       ftun_stranger_hash_word(words + 3, 4) +
	       ftun_stranger_hash_rest(fn, ip6h->nexthdr,
				       (const void *)(ip6h + 1), iif);
}

/**
 * ftun_stranger_add() - packets like this have nothing to gain
 * @fn:   where
 * @known: ftun_stranger_hash() of one that had not
 * @tag: ftun_stranger_tag() when it came in
 *
 * Context: any.
 */
void ftun_stranger_add(struct ftun_net *fn, u64 known, u32 tag)
{
	WRITE_ONCE(*ftun_stranger_place(known), tag);
	if (!ftun_stranger_any(fn))
		WRITE_ONCE(fn->strangers, true);
}

/* As many places as conntrack has buckets */
int ftun_stranger_init(void)
{
	unsigned int count = roundup_pow_of_two(nf_conntrack_htable_size);

	get_random_bytes(ftun_strangers.keys, sizeof(ftun_strangers.keys));
	ftun_strangers.mask = count - 1;
	ftun_strangers.tags = kvcalloc(count, sizeof(u32), GFP_KERNEL);
	return ftun_strangers.tags ? 0 : -ENOMEM;
}

/* After the last hook has gone. */
void ftun_stranger_exit(void)
{
	kvfree(ftun_strangers.tags);
}

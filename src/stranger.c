// SPDX-License-Identifier: GPL-2.0
/*
 * Most packets of a router may be of connections that use no tunnel. What was seen to
 * belong to one is remembered for a second by a hash of where it is, and its like go to
 * the slow path without being looked at any further.
 *
 * It is a guess, and harmless: who is taken for a stranger is slow until the second is
 * over, or devices, rules or routes change. So nothing in a packet has to be true, but
 * only to be there, for it to be hashed.
 */
#include "stranger.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/random.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack.h>

#include "hash.h"

/* Two pairs of IPv6 addresses, ports and the rest */
#define PAIRS	5

static u64 keys[2 * PAIRS] __read_mostly;

/* A word for each, for all namespaces; which one follows from the hash. Newcomers
 * take others' places. Read and written by all CPUs, without a lock: any word is a
 * valid one.
 */
static u32 *tags __read_mostly;
static u32 tag_mask __read_mostly;

/* A second, or nearly so, without a division */
#define TIME_SHIFT	(ilog2(HZ) + 1)

/* A sum of numbers that grow: when one of them does, no tag from before fits. */
static u32 epoch(const struct ftun_net *fn, const struct ftun_generations *seen)
{
	u32 now = jiffies;

	return seen->ftun + seen->nft + seen->routes4 + seen->routes6 +
	       READ_ONCE(fn->fou.count) + (now >> TIME_SHIFT);
}

static u32 *tag_place(u64 hash)
{
	return &tags[hash >> 32 & tag_mask];
}

static __always_inline u32 tag(const struct ftun_net *fn, u64 hash,
			       const struct ftun_generations *seen)
{
	return (u32)(hash >> 16) + epoch(fn, seen);
}

static bool has_ports(u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

/* Headers are aligned to four bytes only. */
static __always_inline u64 hash_word(const void *at, unsigned int pair)
{
	u64 word;

	memcpy(&word, at, sizeof(word));
	return ftun_hash_pair(word, keys + 2 * pair);
}

/* What stands behind the IP header, and where the packet is */
static u64 hash_rest(const struct ftun_net *fn, u8 proto, const __be32 *ports,
		     u32 iif)
{
	u32 where = (u32)(unsigned long)fn + (iif << 8) + proto;

	return ftun_hash_pair((u64)(__force u32)*ports << 32 | where, keys);
}

static __always_inline u64 hash_ipv4(const struct ftun_net *fn,
				     const struct sk_buff *skb, u32 iif)
{
	const struct iphdr *iph = (const void *)skb->data;

	if (skb_headlen(skb) < sizeof(*iph) + sizeof(u32) ||
	    !has_ports(iph->protocol))
		return 0;
	return hash_word(&iph->addrs, 1) +
	       hash_rest(fn, iph->protocol, (const void *)(iph + 1), iif);
}

static u64 hash_ipv6(const struct ftun_net *fn, const struct sk_buff *skb, u32 iif)
{
	const struct ipv6hdr *ip6h = (const void *)skb->data;
	const u64 *words = (const u64 *)&ip6h->addrs;

	if (skb_headlen(skb) < sizeof(*ip6h) + sizeof(u32) ||
	    !has_ports(ip6h->nexthdr))
		return 0;
	return hash_word(words, 1) + hash_word(words + 1, 2) +
	       hash_word(words + 2, 3) + hash_word(words + 3, 4) +
	       hash_rest(fn, ip6h->nexthdr, (const void *)(ip6h + 1), iif);
}

static __always_inline u64 hash(const struct ftun_net *fn,
				const struct sk_buff *skb, u32 iif)
{
	return skb->protocol == htons(ETH_P_IPV6) ? hash_ipv6(fn, skb, iif)
						  : hash_ipv4(fn, skb, iif);
}

/**
 * ftun_stranger_hash() - what a packet's like are known by
 * @fn:  where
 * @skb: IP packet at a netdev ingress hook
 * @iif: index of the device
 *
 * Return: 0 if it cannot be a stranger, being neither TCP nor UDP at first sight.
 */
u64 ftun_stranger_hash(const struct ftun_net *fn, const struct sk_buff *skb,
		       u32 iif)
{
	return hash(fn, skb, iif);
}

/**
 * ftun_stranger_add() - packets like this use no tunnel
 * @fn:   where
 * @known: ftun_stranger_hash() of one that did not
 * @seen: the state of the world when it came in
 *
 * Context: any.
 */
void ftun_stranger_add(struct ftun_net *fn, u64 known,
		       const struct ftun_generations *seen)
{
	WRITE_ONCE(*tag_place(known), tag(fn, known, seen));
	if (!READ_ONCE(fn->strangers))
		WRITE_ONCE(fn->strangers, true);
}

/**
 * ftun_stranger_is() - is this a packet of a connection that uses no tunnel?
 * @fn:  where
 * @skb: IP packet at a netdev ingress hook
 * @iif: index of the device
 *
 * Context: BH off.
 * Return: false if nothing is known about it.
 */
bool ftun_stranger_is(const struct ftun_net *fn, const struct sk_buff *skb,
		      u32 iif)
{
	struct ftun_generations now;
	u64 known = hash(fn, skb, iif);

	if (!known)
		return false;
	now = ftun_policy_generations(fn);
	return READ_ONCE(*tag_place(known)) == tag(fn, known, &now);
}

/* As many places as conntrack has buckets */
int ftun_stranger_init(void)
{
	unsigned int count = roundup_pow_of_two(nf_conntrack_htable_size);

	get_random_bytes(keys, sizeof(keys));
	tag_mask = count - 1;
	tags = kvcalloc(count, sizeof(*tags), GFP_KERNEL);
	return tags ? 0 : -ENOMEM;
}

/* After the last hook has gone. */
void ftun_stranger_exit(void)
{
	kvfree(tags);
}

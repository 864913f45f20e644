/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_STRANGER_H
#define _FTUN_STRANGER_H

#include <linux/ip.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>

#include "hash.h"
#include "policy.h"
#include "second.h"

/* Ports and the rest, two IPv6 addresses, and two more outside */
#define FTUN_STRANGER_PAIRS	9

/**
 * struct ftun_strangers - what is known of them, in all namespaces
 * @keys: of the hash; secret
 * @mask: how many places there are, less one
 * @tags: a word each. Newcomers take others' places. Read and written by all CPUs,
 *        without a lock: any word is a valid one
 */
struct ftun_strangers {
	u64	keys[2 * FTUN_STRANGER_PAIRS];
	u32	mask;
	u32	*tags;
};

extern struct ftun_strangers ftun_strangers;

/* Was the last stranger in a tunnel that came to this CPU known, or one to be known? So
 * others may follow, and are looked for. Its own CPU's, with BH off.
 */
DECLARE_PER_CPU(bool, ftun_strangers_follow);

int ftun_stranger_init(void);
void ftun_stranger_exit(void);
u64 ftun_stranger_hash6(const struct sk_buff *skb, unsigned int at, u32 where);
u64 ftun_stranger_hash_inner(const struct sk_buff *skb, u32 where, bool v6);
bool ftun_stranger_is_inner(const struct ftun_net *fn, const struct sk_buff *skb,
			    u32 where, bool v6);
void ftun_stranger_add(struct ftun_net *fn, u64 known, u32 tag);

/* What a packet's hash has of the place that it came in at; the last byte is free. */
static inline u32 ftun_stranger_where(const struct ftun_net *fn, u32 iif)
{
	return (u32)(unsigned long)fn + (iif << 8);
}

/* Is there any that a packet could be one of? */
static inline bool ftun_stranger_any(const struct ftun_net *fn)
{
	return READ_ONCE(fn->strangers);
}

/* Once a second: where none turns up again, packets are not compared any more. */
static inline void ftun_stranger_tick(struct ftun_net *fn)
{
	WRITE_ONCE(fn->strangers, false);
}

/* Which place it is follows from the hash. */
static inline u32 *ftun_stranger_place(u64 known)
{
	return &ftun_strangers.tags[known >> 32 & ftun_strangers.mask];
}

/**
 * ftun_stranger_tag() - what its place has if @known is a stranger's
 * @fn:    where
 * @known: ftun_stranger_hash()
 * @v6:    of IPv6
 *
 * With a sum of numbers that grow: when one of them does, no tag from before fits. What
 * they do not tell of, such as rules, is noticed within a second.
 */
static __always_inline u32 ftun_stranger_tag(const struct ftun_net *fn, u64 known,
					     bool v6)
{
	return (u32)(known >> 16) + atomic_read(&fn->generation) +
	       (v6 ? ftun_policy_routes6(fn) : rt_genid_ipv4(fn->net)) +
	       ftun_second();
}

/* Is this what @known has in its place? */
static __always_inline bool ftun_stranger_known(const struct ftun_net *fn, u64 known,
						bool v6)
{
	return READ_ONCE(*ftun_stranger_place(known)) ==
	       ftun_stranger_tag(fn, known, v6);
}

static inline bool ftun_stranger_has_ports(u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

/* Headers are aligned to four bytes only. */
static __always_inline u64 ftun_stranger_hash_word(const void *at, unsigned int pair)
{
	u64 word;

	memcpy(&word, at, sizeof(word));
	return ftun_hash_pair(word, ftun_strangers.keys + 2 * pair);
}

/* What stands behind the IP header, and where the packet is */
static __always_inline u64 ftun_stranger_hash_rest(u8 proto, const __be32 *ports,
						   u32 where)
{
	return ftun_hash_pair((u64)(__force u32)*ports << 32 | (where + proto),
			      ftun_strangers.keys);
}

/* @at bytes into the packet */
static __always_inline u64 ftun_stranger_hash4(const struct sk_buff *skb,
					       unsigned int at, u32 where)
{
	const struct iphdr *iph = (const void *)skb->data + at;

	if (skb_headlen(skb) < at + sizeof(*iph) + sizeof(u32) ||
	    !ftun_stranger_has_ports(iph->protocol))
		return 0;
	return ftun_stranger_hash_word(&iph->addrs, 1) +
	       ftun_stranger_hash_rest(iph->protocol, (const void *)(iph + 1),
				       where);
}

/**
 * ftun_stranger_hash() - what a packet's like are known by
 * @skb:   IP packet at a netdev ingress hook
 * @where: ftun_stranger_where()
 * @v6:    it is IPv6
 *
 * Return: 0 if it is neither TCP nor UDP at first sight.
 */
static __always_inline u64 ftun_stranger_hash(const struct sk_buff *skb, u32 where,
					      bool v6)
{
	return v6 ? ftun_stranger_hash6(skb, 0, where)
		  : ftun_stranger_hash4(skb, 0, where);
}

/* What a direction of a connection that stays slow is known by on the slow path. Another
 * connection can have its address by then.
 */
static inline u64 ftun_stranger_hash_ct(const struct nf_conn *ct, u8 dir)
{
	return ftun_hash_pair((unsigned long)ct + dir, ftun_strangers.keys);
}

/**
 * ftun_stranger_is() - is this a packet of a connection that stays slow?
 * @fn:    where
 * @skb:   IP packet at a netdev ingress hook
 * @where: ftun_stranger_where() that is
 * @v6:    it is IPv6, as the caller knew when it was compiled
 *
 * Asked of every packet; of what is in a tunnel only while there are strangers among that,
 * since most of it is not.
 *
 * Context: BH off.
 * Return: false if nothing is known about it.
 */
static __always_inline bool ftun_stranger_is(const struct ftun_net *fn,
					     const struct sk_buff *skb, u32 where,
					     bool v6)
{
	u64 known;

	if (!ftun_stranger_any(fn))
		return false;
	known = ftun_stranger_hash(skb, where, v6);
	if (known)
		return ftun_stranger_known(fn, known, v6);
	return this_cpu_read(ftun_strangers_follow) &&
	       ftun_stranger_is_inner(fn, skb, where, v6);
}

#endif /* _FTUN_STRANGER_H */

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
#include <net/gre.h>
#include <net/netfilter/nf_conntrack.h>

#include "parse.h"
#include "tunnel.h"

struct ftun_strangers ftun_strangers __read_mostly;
DEFINE_PER_CPU(bool, ftun_strangers_follow);

/* Of the keys, those for the addresses outside */
#define OUTER_PAIRS	5

static u64 hash_addrs4(const struct iphdr *iph, unsigned int pair)
{
	return ftun_stranger_hash_word(&iph->addrs, pair);
}

static u64 hash_addrs6(const struct ipv6hdr *ip6h, unsigned int pair)
{
	const u64 *words = (const u64 *)&ip6h->addrs;

	return ftun_stranger_hash_word(words, pair) +
	       ftun_stranger_hash_word(words + 1, pair + 1) +
	       ftun_stranger_hash_word(words + 2, pair + 2) +
	       ftun_stranger_hash_word(words + 3, pair + 3);
}

/* IPv6's part of ftun_stranger_hash(), @at bytes into the packet */
u64 ftun_stranger_hash6(const struct sk_buff *skb, unsigned int at, u32 where)
{
	const struct ipv6hdr *ip6h = (const void *)skb->data + at;

	if (skb_headlen(skb) < at + sizeof(*ip6h) + sizeof(u32) ||
	    !ftun_stranger_has_ports(ip6h->nexthdr))
		return 0;
	return hash_addrs6(ip6h, 1) +
	       ftun_stranger_hash_rest(ip6h->nexthdr, (const void *)(ip6h + 1),
				       where);
}

static unsigned int gre_len(const struct gre_base_hdr *greh)
{
	return sizeof(*greh) + sizeof(u32) * (!!(greh->flags & GRE_CSUM) +
					      !!(greh->flags & GRE_KEY) +
					      !!(greh->flags & GRE_SEQ));
}

/* Where the header in the tunnel is, if nothing unusual is in front of it. Something else
 * may be there.
 *
 * Return: 0 if it cannot be anywhere.
 */
static unsigned int inner_offset(const struct sk_buff *skb, bool v6)
{
	unsigned int at = v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	const void *data = skb->data;
	u8 proto;

	if (skb_headlen(skb) < at + FTUN_ENCAP_LIMIT_LEN + sizeof(struct gre_base_hdr))
		return 0;
	proto = v6 ? ((const struct ipv6hdr *)data)->nexthdr
		   : ((const struct iphdr *)data)->protocol;
	if (v6 && proto == NEXTHDR_DEST) {
		proto = *(const u8 *)(data + at);
		at += FTUN_ENCAP_LIMIT_LEN;
	}
	if (proto == IPPROTO_GRE)
		return at + gre_len(data + at);
	return ftun_tunnel_is_proto(proto) ? at : 0;
}

/**
 * ftun_stranger_hash_inner() - what the likes of a packet in a tunnel are known by
 * @skb:   IP packet at a netdev ingress hook
 * @where: ftun_stranger_where()
 * @v6:    it is IPv6
 *
 * The tunnel's ends are part of it, so that who sends by one makes nobody slow who uses
 * another.
 *
 * Return: 0 if it is in no tunnel, or neither TCP nor UDP in it, at first sight.
 */
u64 ftun_stranger_hash_inner(const struct sk_buff *skb, u32 where, bool v6)
{
	unsigned int at = inner_offset(skb, v6);
	const void *data = skb->data;
	u64 known;

	if (!at || skb_headlen(skb) <= at)
		return 0;
	known = skb->data[at] >> 4 == 6 ? ftun_stranger_hash6(skb, at, where)
					: ftun_stranger_hash4(skb, at, where);
	if (!known)
		return 0;
	return known + (v6 ? hash_addrs6(data, OUTER_PAIRS)
			   : hash_addrs4(data, OUTER_PAIRS));
}

/**
 * ftun_stranger_is_inner() - is this a stranger in a tunnel?
 * @fn:    where
 * @skb:   IP packet at a netdev ingress hook, neither TCP nor UDP
 * @where: ftun_stranger_where() that is
 * @v6:    it is IPv6
 *
 * Context: BH off.
 */
bool ftun_stranger_is_inner(const struct ftun_net *fn, const struct sk_buff *skb,
			    u32 where, bool v6)
{
	u64 known = ftun_stranger_hash_inner(skb, where, v6);
	bool is = known && ftun_stranger_known(fn, known, v6);

	if (!is)
		this_cpu_write(ftun_strangers_follow, false);
	return is;
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

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_TUPLE_H
#define _FTUN_TUPLE_H

#include <linux/string.h>
#include <linux/types.h>

/**
 * enum ftun_encap - what stands between the outer and the inner IP header
 * @FTUN_ENCAP_NONE: there is no outer header, the packet is plain
 * @FTUN_ENCAP_IP:   nothing (RFC 2003, RFC 2473, RFC 4213)
 * @FTUN_ENCAP_GRE:  a GRE header (RFC 2784, RFC 2890)
 */
enum ftun_encap {
	FTUN_ENCAP_NONE,
	FTUN_ENCAP_IP,
	FTUN_ENCAP_GRE,
};

/* Bits of ftun_tuple.shape */
#define FTUN_SHAPE_INNER6	0x01	/* inner packet is IPv6 */
#define FTUN_SHAPE_OUTER6	0x02	/* outer packet is IPv6 */
#define FTUN_SHAPE_GRE_CSUM	0x04	/* GRE header has a checksum, ... */
#define FTUN_SHAPE_GRE_KEY	0x08	/* ... a key, ... */
#define FTUN_SHAPE_GRE_SEQ	0x10	/* ... a sequence number */
#define FTUN_SHAPE_UDP		0x20	/* all of it is in UDP, ... */
#define FTUN_SHAPE_UDP_CSUM	0x40	/* ... which has a checksum */
#define FTUN_SHAPE_GUE		0x80	/* ... and is followed by a GUE header */

/* Two pairs of IPv6 addresses, a GRE key, UDP ports, one for an even number */
#define FTUN_TUPLE_ADDR_WORDS	(2 * 8 + 3)

/**
 * struct ftun_tuple_head - what of a tuple is not addresses
 * @words:   as in struct ftun_tuple, and so are the others
 * @encap:   enum ftun_encap
 * @shape:   FTUN_SHAPE_*
 * @l4proto: IPPROTO_TCP or IPPROTO_UDP
 * @sport:   inner source port
 * @dport:   inner destination port
 */
struct ftun_tuple_head {
	u8	words;
	u8	encap;
	u8	shape;
	u8	l4proto;
	__be16	sport;
	__be16	dport;
};

/**
 * struct ftun_tuple - what names a flow's packets as they come in
 * @head:    what is not addresses: the following up to them
 * @all:     the same as a number
 * @words:   how many 32 bit words of this are in use, the first ones; an even
 *           number, with a zero in the last one if need be. @iif is none of them
 * @encap:   enum ftun_encap
 * @shape:   FTUN_SHAPE_*
 * @l4proto: IPPROTO_TCP or IPPROTO_UDP, of the inner packet
 * @sport:   inner source port
 * @dport:   inner destination port
 * @addr:    inner source and destination, before any NAT; then outer source and
 *           destination; then the GRE key; then the outer UDP ports. What the
 *           packet does not have takes no room
 * @iif:     device whose ingress hook sees the packet
 *
 * The outer addresses and the key are part of it: a packet with the right inner
 * header from the wrong tunnel end point, or with no tunnel at all, is no match.
 */
struct ftun_tuple {
	union {
		struct ftun_tuple_head head;
		__le64	all;
		struct {
			u8	words;
			u8	encap;
			u8	shape;
			u8	l4proto;
			__be16	sport;
			__be16	dport;
		};
	};
	__be32	addr[FTUN_TUPLE_ADDR_WORDS];
	u32	iif;
} __aligned(8);

/* Pairs of words that have all that is inside, and what is outside at most */
#define FTUN_TUPLE_INNER_PAIRS4	2
#define FTUN_TUPLE_INNER_PAIRS6	5
#define FTUN_TUPLE_OUTER_PAIRS	5
#define FTUN_TUPLE_HEAD_WORDS	(offsetof(struct ftun_tuple, addr) / sizeof(u32))

/* The head is read as one number by who hashes and compares it in a moment, and would
 * have to be waited for if it was written in parts.
 */
static __always_inline void ftun_tuple_head_put(struct ftun_tuple *tuple, u8 words,
						const __be32 *ports)
{
	tuple->all = cpu_to_le64(words | (u32)tuple->encap << 8 |
				 (u32)tuple->shape << 16 |
				 (u32)tuple->l4proto << 24 |
				 (u64)le32_to_cpup((const __le32 *)ports) << 32);
}

static inline unsigned int ftun_tuple_inner_pairs(const struct ftun_tuple_head *head)
{
	return head->shape & FTUN_SHAPE_INNER6 ? FTUN_TUPLE_INNER_PAIRS6
					       : FTUN_TUPLE_INNER_PAIRS4;
}

static inline bool ftun_tuple_inner6(const struct ftun_tuple *tuple)
{
	return tuple->shape & FTUN_SHAPE_INNER6;
}

static inline bool ftun_tuple_outer6(const struct ftun_tuple *tuple)
{
	return tuple->shape & FTUN_SHAPE_OUTER6;
}

/* Words of one address */
static inline unsigned int ftun_tuple_addr_words(bool v6)
{
	return v6 ? 4 : 1;
}

static inline const __be32 *ftun_tuple_saddr(const struct ftun_tuple *tuple)
{
	return tuple->addr;
}

static inline const __be32 *ftun_tuple_daddr(const struct ftun_tuple *tuple)
{
	return tuple->addr + ftun_tuple_addr_words(ftun_tuple_inner6(tuple));
}

/* Only if there is an outer header */
static inline const __be32 *
ftun_tuple_outer_saddr(const struct ftun_tuple *tuple)
{
	return tuple->addr +
	       2 * ftun_tuple_addr_words(ftun_tuple_inner6(tuple));
}

static inline const __be32 *
ftun_tuple_outer_daddr(const struct ftun_tuple *tuple)
{
	return ftun_tuple_outer_saddr(tuple) +
	       ftun_tuple_addr_words(ftun_tuple_outer6(tuple));
}

/* Only with FTUN_SHAPE_GRE_KEY */
static inline __be32 ftun_tuple_key(const struct ftun_tuple *tuple)
{
	return *(ftun_tuple_outer_daddr(tuple) +
		 ftun_tuple_addr_words(ftun_tuple_outer6(tuple)));
}

/* Source and destination, only with FTUN_SHAPE_UDP and an outer header */
static inline const __be16 *
ftun_tuple_outer_ports(const struct ftun_tuple *tuple)
{
	const __be32 *end = ftun_tuple_outer_daddr(tuple) +
			    ftun_tuple_addr_words(ftun_tuple_outer6(tuple));

	return (const __be16 *)(tuple->shape & FTUN_SHAPE_GRE_KEY ? end + 1
								  : end);
}

/* Four pairs of words, as two IPv6 addresses are. Unlike a loop it takes no turns. */
static __always_inline u64 ftun_tuple_differ4(const u64 *a, const u64 *b)
{
	return (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]);
}

/**
 * ftun_tuple_is() - is this the tuple that is kept in parts?
 * @tuple: of a packet
 * @head:  the first part, with the inner addresses behind it
 * @outer: all words after them
 * @iif:   the device
 *
 * Not by memcmp(), which is a call, and slow on what is this short.
 */
static __always_inline bool ftun_tuple_is(const struct ftun_tuple *tuple,
					  const struct ftun_tuple_head *head,
					  const u64 *outer, u32 iif)
{
	const u64 *words = (const u64 *)tuple;
	const u64 *kept = (const u64 *)head;
	u64 differ = (iif ^ tuple->iif) | (kept[0] ^ words[0]);
	unsigned int inner = ftun_tuple_inner_pairs(head);
	unsigned int left = head->words / 2 - inner;

	differ |= head->shape & FTUN_SHAPE_INNER6 ?
		ftun_tuple_differ4(kept + 1, words + 1) : kept[1] ^ words[1];
	if (differ)
		return false;
	words += inner;
	if (left >= 4) {
		differ = ftun_tuple_differ4(outer, words);
		words += 4;
		outer += 4;
		left -= 4;
	}
	while (left--)
		differ |= *outer++ ^ *words++;
	return !differ;
}

#endif /* _FTUN_TUPLE_H */

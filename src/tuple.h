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
 * struct ftun_tuple - what names a flow's packets as they come in
 * @iif:     device whose ingress hook sees the packet
 * @words:   how many 32 bit words of this are in use, the first ones; an even
 *           number, with a zero in the last one if need be
 * @encap:   enum ftun_encap
 * @shape:   FTUN_SHAPE_*
 * @l4proto: IPPROTO_TCP or IPPROTO_UDP, of the inner packet
 * @sport:   inner source port
 * @dport:   inner destination port
 * @addr:    inner source and destination, before any NAT; then outer source and
 *           destination; then the GRE key; then the outer UDP ports. What the
 *           packet does not have takes no room
 *
 * The outer addresses and the key are part of it: a packet with the right inner
 * header from the wrong tunnel end point, or with no tunnel at all, is no match.
 */
struct ftun_tuple {
	u32	iif;
	u8	words;
	u8	encap;
	u8	shape;
	u8	l4proto;
	__be16	sport;
	__be16	dport;
	__be32	addr[FTUN_TUPLE_ADDR_WORDS];
} __aligned(8);

/* Pairs of words that have all that is inside */
#define FTUN_TUPLE_HASH_PAIRS4	3
#define FTUN_TUPLE_HASH_PAIRS6	6
#define FTUN_TUPLE_HEAD_WORDS	(offsetof(struct ftun_tuple, addr) / sizeof(u32))

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

/* Checksums that stand between the device and the inner packet's */
static inline unsigned int ftun_tuple_outer_csums(const struct ftun_tuple *tuple)
{
	return !!(tuple->shape & FTUN_SHAPE_UDP) +
	       !!(tuple->shape & FTUN_SHAPE_GRE_CSUM);
}

/* Not by memcmp(), which is a call, and slow on what is this short. */
static inline bool ftun_tuple_equal(const struct ftun_tuple *a,
				    const struct ftun_tuple *b)
{
	const u64 *left = (const u64 *)a, *right = (const u64 *)b;
	unsigned int i, pairs = a->words / 2;
	u64 differ = 0;

	if (a->words != b->words)
		return false;
	for (i = 0; i < pairs; i++)
		differ |= left[i] ^ right[i];
	return !differ;
}

#endif /* _FTUN_TUPLE_H */

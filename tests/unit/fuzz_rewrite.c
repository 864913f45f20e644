// SPDX-License-Identifier: GPL-2.0
/*
 * A packet that parses goes all the way: out of its tunnel, through NAT and TTL, and
 * into another. The twin does the same, and what comes out parses again, with every
 * checksum right if it was right before. The input is
 *	byte 0		FTUN_OUTER_*
 *	byte 1		1: the packet is IPv6, 2: so is the outer header to write,
 *			4: which has an encapsulation limit, 8: GRE behind it,
 *			0x70: C, K, S; 0x80: UDP in front of it
 *	byte 2		1: the transport checksum is still to be filled in, 2: no
 *			NAT, 4: the outer DSCP is copied, 8: keep the packet's sums,
 *			0x10: UDP is to a place that is known, 0x60: for what in
 *			fou_protos, 0x80: UDP of the outer header to write is GUE
 *	36 bytes	addresses and ports to write
 *	76 bytes	template of the outer header
 *	3 bytes		an automatic flow label
 *	2 bytes		IPv4's id
 *	the rest	the packet
 */
#include "fuzz.h"

enum {
	PARTIAL = 1, NO_NAT = 2, COPY_DSCP = 4, KEEP_SUMS = 8, PLACE = 0x10,
	GUE = 0x80
};

enum {
	AT_RULES = 0, AT_SHAPE = 1, AT_HOW = 2, AT_NAT = 3, AT_TEMPLATE = 39,
	AT_LABEL = AT_TEMPLATE + FTUN_OUTER_MAX, AT_ID = AT_LABEL + 3,
	PARAMETERS = AT_ID + 2
};

static const u8 fou_protos[] = { 0, P_IPV4, P_IPV6, P_GRE };

static u8 gre_bits(u8 shape)
{
	return (shape & 0x10 ? GRE_C : 0) | (shape & 0x20 ? GRE_K : 0) |
	       (shape & 0x40 ? GRE_S : 0);
}

/* The headers from the inside out, each where the one outside it has put it. */
static u8 outer_gre(struct ftun_outer *outer, u8 shape, bool inner6)
{
	u8 *gre = outer->hdr + outer->len;

	outer->gre = outer->len;
	gre[0] = gre_bits(shape);
	gre[1] = 0;
	put16(gre + 2, inner6 ? 0x86dd : 0x0800);
	outer->len += 4 + 4 * __builtin_popcount(gre_bits(shape));
	return P_GRE;
}

static u32 udp_hlen(const u8 *data)
{
	if (!(data[AT_SHAPE] & 0x80))
		return 0;
	return data[AT_HOW] & GUE ? 12 : 8;
}

static u8 outer_udp(struct ftun_outer *outer, u32 at, u32 hlen, u8 proto)
{
	outer->udp = at;
	if (hlen == 12) {
		put32(outer->hdr + at + 8, 0);
		outer->hdr[at + 9] = proto;
	}
	return P_UDP;
}

static u8 outer_limit(struct ftun_outer *outer, u8 proto)
{
	memcpy(outer->hdr + 41, "\0\4\1\4\1\1\0", 7);
	outer->hdr[40] = proto;
	return P_DSTOPTS;
}

/* A valid header with the rest as it was given. */
static struct ftun_outer outer_of(const u8 *data, bool inner6)
{
	u8 shape = data[AT_SHAPE], proto = inner6 ? P_IPV6 : P_IPV4;
	bool v6 = shape & 2, limit = v6 && shape & 4;
	struct ftun_outer outer = { .v6 = v6, .rules = data[AT_RULES] };
	u32 udp = twin_hlen(v6) + (limit ? 8 : 0);
	u8 *to = outer.hdr;

	memcpy(to, data + AT_TEMPLATE, FTUN_OUTER_MAX);
	outer.len = udp + udp_hlen(data);
	if (shape & 8)
		proto = outer_gre(&outer, shape, inner6);
	if (udp_hlen(data))
		proto = outer_udp(&outer, udp, udp_hlen(data), proto);
	if (limit)
		proto = outer_limit(&outer, proto);
	to[0] = v6 ? 0x60 | (to[0] & 15) : 0x45;
	to[twin_proto_at(v6)] = proto;
	if (!v6)
		put16(to + 6, get16(to + 6) & 0x4000);
	return outer;
}

/* What the place is for that the outer header to write has for a destination. */
static u8 outer_proto(const u8 *data, bool inner6)
{
	if (data[AT_HOW] & GUE)
		return 0;
	if (data[AT_SHAPE] & 8)
		return P_GRE;
	return inner6 ? P_IPV6 : P_IPV4;
}

static struct twin_nat nat_of(const u8 *data)
{
	struct twin_nat nat;

	memcpy(nat.saddr, data + AT_NAT, 16);
	memcpy(nat.daddr, data + AT_NAT + 16, 16);
	memcpy(nat.sport, data + AT_NAT + 32, 2);
	memcpy(nat.dport, data + AT_NAT + 34, 2);
	return nat;
}

static u32 label_of(const u8 *data)
{
	return (data[AT_LABEL] & 15) << 16 | get16(data + AT_LABEL + 1);
}

static void real_way(u8 *out, u32 len, const u8 *data, u8 outer_tos,
		     const u8 *first, bool v6)
{
	struct ftun_outer outer = outer_of(data, v6);
	struct twin_nat nat = nat_of(data);
	u8 *ip = out + outer.len, tos;
	union real_nat real;

	twin_nat_init(&real, &nat, first, v6);
	tos = ftun_rewrite_ecn_tos(ftun_rewrite_tos(ip, v6), outer_tos);
	if (data[AT_HOW] & COPY_DSCP)
		tos = ftun_rewrite_copy_dscp(tos, outer_tos);
	ftun_rewrite_set_tos(ip, v6, tos);
	if (!(data[AT_HOW] & NO_NAT))
		ftun_rewrite_nat(ip, v6, &real.nat, data[AT_HOW] & PARTIAL);
	ftun_rewrite_ttl(ip, v6);
	ftun_rewrite_outer(out, &outer, ip, v6, len,
			   htons(get16(data + AT_ID)));
	if (outer.v6 && outer.rules & FTUN_OUTER_LABEL_AUTO)
		ftun_rewrite_label((struct ipv6hdr *)out, htonl(label_of(data)));
}

static void twin_way(u8 *out, u32 len, const u8 *data, u8 outer_tos, bool v6)
{
	struct ftun_outer outer = outer_of(data, v6);
	struct twin_nat nat = nat_of(data);
	u8 *ip = out + outer.len;
	u8 tos = twin_tos(ip, v6);
	int ecn = twin_ecn_decap(outer_tos, tos);

	tos = data[AT_HOW] & COPY_DSCP ? outer_tos : tos;
	twin_put_tos(ip, v6, (tos & 0xfc) | (ecn == DROP ? NOT_ECT : ecn));
	if (!(data[AT_HOW] & NO_NAT))
		twin_nat_steps(ip, v6, &nat, data[AT_HOW] & PARTIAL);
	ip[twin_ttl_at(v6)]--;
	twin_fix_ip(ip, v6);
	twin_outer(out, &outer, ip, v6, len, get16(data + AT_ID));
	if (outer.v6 && outer.rules & FTUN_OUTER_LABEL_AUTO)
		twin_label(out, label_of(data));
}

/* What is left to others is done here: checksums of GRE and UDP, UDP's length. */
static void finish(u8 *out, u32 len, const struct ftun_outer *outer)
{
	if (outer->gre)
		twin_fix_gre(out + outer->gre, len - outer->gre);
	if (!outer->udp)
		return;
	put16(out + outer->udp + 4, len - outer->udp);
	put16(out + outer->udp + 6, 0);
	if (outer->rules & FTUN_OUTER_UDP_CSUM)
		twin_fix_udp(out, outer->v6, outer->udp);
}

static void check_result(u8 *out, u32 len, const struct ftun_outer *outer,
			 const u8 *data, bool inner6, bool was_right)
{
	struct ftun_fou fou = { 0 };
	struct ftun_packet pkt;
	struct sk_buff *skb;

	finish(out, len, outer);
	if (outer->udp)
		fou = fuzz_place(out, len, outer->v6, outer_proto(data, inner6));
	skb = skb_make(out, len, 0);
	skb->protocol = outer->v6 ? htons(0x86dd) : htons(0x0800);
	expect(ftun_parse(skb, 3, &fou, &pkt) == FTUN_OK);
	expect(pkt.inner == outer->len && pkt.gre == outer->gre);
	expect(pkt.udp == outer->udp && pkt.outer_len == len);
	if (pkt.tuple.shape & FTUN_SHAPE_UDP_CSUM)
		expect(ftun_parse_udp_csum_ok(skb, &pkt));
	if (pkt.tuple.shape & FTUN_SHAPE_GRE_CSUM)
		expect(ftun_parse_gre_csum_ok(skb, &pkt));
	if (!(data[AT_HOW] & PARTIAL))
		expect(ftun_parse_l4_csum_ok(skb, &pkt) == was_right);
	skb_unmake(skb);
}

static void go(const struct sk_buff *skb, const struct ftun_packet *pkt,
	       const u8 *data)
{
	bool v6 = ftun_tuple_inner6(&pkt->tuple);
	struct ftun_outer outer = outer_of(data, v6);
	u32 len = outer.len + pkt->inner_len;
	const u8 *ip = skb->all + pkt->inner;
	bool was_right = ftun_parse_l4_csum_ok(skb, pkt);
	u8 *real, *twin;

	if (len > 0xffff || !ip[twin_ttl_at(v6)] ||
	    pkt->l4 != pkt->inner + twin_hlen(v6))
		return;
	real = malloc(len);
	twin = malloc(len);
	memcpy(real + outer.len, ip, pkt->inner_len);
	memcpy(twin + outer.len, ip, pkt->inner_len);
	real_way(real, len, data, pkt->outer_tos, ip, v6);
	twin_way(twin, len, data, pkt->outer_tos, v6);
	expect(!memcmp(real, twin, len));
	check_result(real, len, &outer, data, v6, was_right);
	free(real);
	free(twin);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct ftun_fou fou = { 0 };
	struct ftun_packet pkt;
	struct sk_buff *skb;
	bool v6;

	if (size < PARAMETERS)
		return 0;
	v6 = data[AT_SHAPE] & 1;
	skb = skb_make(data + PARAMETERS, size - PARAMETERS, 0);
	skb->protocol = v6 ? htons(0x86dd) : htons(0x0800);
	if (data[AT_HOW] & PLACE)
		fou = fuzz_place(skb->all, skb->len, v6,
				 fou_protos[data[AT_HOW] >> 5 & 3]);
	if (!(data[AT_HOW] & KEEP_SUMS))
		fuzz_fix(skb->all, skb->len, v6, &fou);
	if (ftun_parse(skb, 3, &fou, &pkt) == FTUN_OK)
		go(skb, &pkt, data);
	skb_unmake(skb);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * A packet that parses goes all the way: out of its tunnel, through NAT and TTL, and
 * into another. The twin does the same, and what comes out parses again, with every
 * checksum right if it was right before. The input is
 *	byte 0		FTUN_OUTER_*; 0x10: keep the packet's checksums, 0x20: the
 *			transport checksum is still to be filled in, 0x40: no NAT
 *	12 bytes	addresses and ports to write
 *	20 bytes	template of the outer header
 *	2 bytes		its id
 *	the rest	the packet
 */
#include "fuzz.h"

#define PARAMETERS	35

static struct ftun_outer outer_of(const u8 *data)
{
	struct ftun_outer outer = { .rules = data[0] & 7 };

	memcpy(&outer.hdr, data + 13, 20);
	outer.hdr.version = 4;
	outer.hdr.ihl = 5;
	outer.hdr.protocol = IPPROTO_IPIP;
	outer.hdr.frag_off &= htons(0x4000);
	return outer;
}

static struct twin_nat nat_of(const u8 *data)
{
	return (struct twin_nat) {
		get32(data + 1), get32(data + 5), get16(data + 9), get16(data + 11),
	};
}

static void real_way(u8 *out, u32 len, const u8 *data, u8 outer_tos,
		     const u8 *first)
{
	struct ftun_outer outer = outer_of(data);
	struct twin_nat nat = nat_of(data);
	struct ftun_nat real = twin_nat_init(&nat, first);
	struct iphdr *inner = (struct iphdr *)(out + 20);

	ftun_rewrite_ecn(inner, outer_tos);
	if (!(data[0] & 0x40))
		ftun_rewrite_nat(inner, &real, data[0] & 0x20);
	ftun_rewrite_ttl(inner);
	ftun_rewrite_outer((struct iphdr *)out, &outer, inner, len,
			   htons(get16(data + 33)));
}

static void twin_way(u8 *out, u32 len, const u8 *data, u8 outer_tos)
{
	struct ftun_outer outer = outer_of(data);
	struct twin_nat nat = nat_of(data);
	u8 *ip = out + 20, template[20];
	int ecn = twin_ecn_decap(outer_tos, ip[1]);

	ip[1] = (ip[1] & 0xfc) | (ecn == DROP ? NOT_ECT : ecn);
	if (!(data[0] & 0x40))
		twin_nat_steps(ip, &nat, data[0] & 0x20);
	ip[8]--;
	twin_fix_ip(ip);
	memcpy(template, &outer.hdr, 20);
	twin_outer(out, template, data[0] & 7, ip, len, get16(data + 33));
}

static void check_result(const u8 *out, u32 len, bool was_right)
{
	struct sk_buff *skb = skb_make(out, len, 0);
	struct ftun_packet pkt;

	expect(ftun_parse(skb, 3, &pkt) == FTUN_OK);
	expect(pkt.inner == 20 && pkt.outer_len == len);
	expect(ftun_parse_l4_csum_ok(skb, &pkt) == was_right);
	skb_unmake(skb);
}

static void go(const struct sk_buff *skb, const struct ftun_packet *pkt,
	       const u8 *data)
{
	u32 len = pkt->inner_len + 20;
	const u8 *ip = skb->all + pkt->inner;
	bool was_right = ftun_parse_l4_csum_ok(skb, pkt);
	u8 *real = malloc(len), *twin = malloc(len);

	memcpy(real + 20, ip, pkt->inner_len);
	memcpy(twin + 20, ip, pkt->inner_len);
	real_way(real, len, data, pkt->outer_tos, ip);
	twin_way(twin, len, data, pkt->outer_tos);
	expect(!memcmp(real, twin, len));
	if (!(data[0] & 0x20))
		check_result(real, len, was_right);
	free(real);
	free(twin);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct ftun_packet pkt;
	struct sk_buff *skb;

	if (size < PARAMETERS)
		return 0;
	skb = skb_make(data + PARAMETERS, size - PARAMETERS, 0);
	if (!(data[0] & 0x10))
		fuzz_fix(skb->all, skb->len);
	if (ftun_parse(skb, 3, &pkt) == FTUN_OK && pkt.inner_len < 0xffff - 20 &&
	    skb->data[pkt.inner + 8])
		go(skb, &pkt, data);
	skb_unmake(skb);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Any bytes at all: the parser says what its twin says and reads nothing that it has
 * not pulled. The input is
 *	byte 0		1: make the checksums right, 2: the packet is for another
 *			host, 4: a device has summed it, 0x18: ip_summed, 0x20: IPv6
 *	byte 1		how much of it is linear
 *	byte 2		where a checksum begins that is to be filled in
 *	byte 3		3: of how many more checksums a device knows that they are
 *			right, 4: somebody has found some checksum right, 8: UDP
 *			is to a place that is known, 0x30: for what in fou_protos
 *	the rest	the packet
 */
#include "fuzz.h"

#define PARAMETERS	4

static const u8 fou_protos[] = { 0, P_IPV4, P_IPV6, P_GRE };

static void check(struct sk_buff *skb, const struct ftun_fou *fou)
{
	struct ftun_packet got, want;
	enum ftun_stat reason;

	memset(&got, 0xa5, sizeof(got));
	reason = ftun_parse(skb, 3, fou, &got);
	expect(reason == twin_parse(skb, 3, fou, &want));
	expect(!memcmp(skb->data, skb->all, skb->linear));
	if (reason != FTUN_OK)
		return;
	expect(!twin_differs(&got, &want));
	expect(ftun_parse_l4_csum_ok(skb, &got) == twin_l4_ok(skb, &got));
	if (got.tuple.shape & FTUN_SHAPE_UDP_CSUM)
		expect(ftun_parse_udp_csum_ok(skb, &got) ==
		       twin_udp_ok(skb, &got));
	if (got.tuple.shape & FTUN_SHAPE_GRE_CSUM)
		expect(ftun_parse_gre_csum_ok(skb, &got) ==
		       twin_gre_ok(skb, &got));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct ftun_fou fou = { 0 };
	struct sk_buff *skb;
	u8 how;

	if (size < PARAMETERS)
		return 0;
	how = data[0];
	skb = skb_make(data + PARAMETERS, size - PARAMETERS, 0);
	if (data[3] & 8)
		fou = fuzz_place(skb->all, skb->len, how & 0x20,
				 fou_protos[data[3] >> 4 & 3]);
	if (how & 1)
		fuzz_fix(skb->all, skb->len, how & 0x20, &fou);
	if (how & 2)
		skb->pkt_type = PACKET_OTHERHOST;
	if (how & 0x20)
		skb->protocol = htons(0x86dd);
	skb->ip_summed = how >> 3 & 3;
	if (how & 4)
		skb->csum = htons(twin_fold(twin_sum(skb->all, skb->len)));
	skb->csum_at = (int)data[2] - 16;
	skb->csum_level = data[3] & 3;
	skb->csum_valid = data[3] & 4;
	pskb_may_pull(skb, data[1] < skb->len ? data[1] : skb->len);
	check(skb, &fou);
	skb_unmake(skb);
	return 0;
}

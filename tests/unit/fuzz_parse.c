// SPDX-License-Identifier: GPL-2.0
/*
 * Any bytes at all: the parser says what its twin says and reads nothing that it has
 * not pulled. The input is
 *	byte 0		1: make the checksums right, 2: the packet is for another
 *			host, 4: a device has summed it, 0x18: ip_summed, 0x20: not IPv4
 *	byte 1		how much of it is linear
 *	the rest	the packet
 */
#include "fuzz.h"

static void check(struct sk_buff *skb)
{
	struct ftun_packet got = { 0 }, want;
	enum ftun_stat reason = ftun_parse(skb, 3, &got);

	expect(reason == twin_parse(skb, 3, &want));
	expect(!memcmp(skb->data, skb->all, skb->linear));
	if (reason != FTUN_OK)
		return;
	expect(!memcmp(&got.tuple, &want.tuple, sizeof(want.tuple)));
	expect(got.len == want.len && got.inner == want.inner);
	expect(got.outer_len == want.outer_len);
	expect(got.inner_len == want.inner_len);
	expect(got.l4_hlen == want.l4_hlen);
	expect(got.tos == want.tos && got.outer_tos == want.outer_tos);
	expect(got.tcp_flags == want.tcp_flags);
	expect(ftun_parse_l4_csum_ok(skb, &got) == twin_l4_ok(skb, &got));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct sk_buff *skb;
	u8 how;

	if (size < 2)
		return 0;
	how = data[0];
	skb = skb_make(data + 2, size - 2, 0);
	if (how & 1)
		fuzz_fix(skb->all, skb->len);
	if (how & 2)
		skb->pkt_type = PACKET_OTHERHOST;
	if (how & 0x20)
		skb->protocol = htons(0x86dd);
	skb->ip_summed = how >> 3 & 3;
	if (how & 4)
		skb->csum = htons(twin_fold(twin_sum(skb->all, skb->len)));
	pskb_may_pull(skb, data[1] < skb->len ? data[1] : skb->len);
	check(skb);
	skb_unmake(skb);
	return 0;
}

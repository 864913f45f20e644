// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check.h"

/* @got starts as rubbish: the parser has to write all of it. */
enum ftun_stat check_skb(struct sk_buff *skb, const struct ftun_fou *fou)
{
	struct ftun_packet got, want;
	enum ftun_stat reason;

	memset(&got, 0xa5, sizeof(got));
	reason = ftun_parse(skb, IIF, fou, &got);
	assert_int_equal(reason, twin_parse(skb, IIF, fou, &want));
	assert_memory_equal(skb->data, skb->all, skb->linear);
	if (reason != FTUN_OK)
		return reason;
	assert_string_equal(twin_differs(&got, &want) ?: "", "");
	assert_int_equal(ftun_parse_l4_csum_ok(skb, &got),
			 twin_l4_ok(skb, &got));
	if (got.tuple.shape & FTUN_SHAPE_UDP_CSUM)
		assert_int_equal(ftun_parse_udp_csum_ok(skb, &got),
				 twin_udp_ok(skb, &got));
	if (got.tuple.shape & FTUN_SHAPE_GRE_CSUM)
		assert_int_equal(ftun_parse_gre_csum_ok(skb, &got),
				 twin_gre_ok(skb, &got));
	return reason;
}

enum ftun_stat check(const struct packet *p, u32 linear)
{
	struct sk_buff *skb = packet_skb(p, linear);
	enum ftun_stat reason = check_skb(skb, &p->fou);

	skb_unmake(skb);
	return reason;
}

enum ftun_stat check_cut(const struct packet *p, u32 len, u32 linear)
{
	struct packet cut = *p;

	cut.len = len;
	return check(&cut, linear);
}

struct ftun_packet parsed(const struct packet *p, u32 iif)
{
	struct sk_buff *skb = packet_skb(p, 0);
	struct ftun_packet pkt;

	assert_int_equal(ftun_parse(skb, iif, &p->fou, &pkt), FTUN_OK);
	skb_unmake(skb);
	return pkt;
}

bool tuple_equal(const struct ftun_tuple *a, const struct ftun_tuple *b)
{
	const u64 *outer = (const u64 *)b + ftun_tuple_inner_pairs(&b->head);

	return ftun_tuple_is(a, &b->head, outer, b->iif);
}

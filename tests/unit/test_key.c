// SPDX-License-Identifier: GPL-2.0
/* What names a flow, and who reads it: src/tuple.h, filled in by src/parse.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check.h"
#include "random.h"

/* Offsets of what names a flow, but for the device. */
static u32 key_bytes(const struct packet *p, u32 *at)
{
	u32 n = 0;

	for (u32 i = 0; i < 2 * twin_addr_len(p->inner6); i++)
		at[n++] = p->inner + twin_addr_at(p->inner6) + i;
	for (u32 i = 0; i < 4; i++)
		at[n++] = p->l4 + i;
	if (!p->tunnel)
		return n;
	for (u32 i = 0; i < 2 * twin_addr_len(p->outer6); i++)
		at[n++] = twin_addr_at(p->outer6) + i;
	for (u32 i = 0; p->bits & GRE_K && i < 4; i++)
		at[n++] = p->gre + (p->bits & GRE_C ? 8 : 4) + i;
	for (u32 i = 0; p->udp && i < 4; i++)
		at[n++] = p->udph + i;
	return n;
}

/* The outer source and everything else that names a flow is in the key. */
static void key_has_every_field(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct ftun_packet a, b;
		struct packet p;
		u32 at[100], count;

		packet_some(&p, n);
		count = key_bytes(&p, at);
		a = parsed(&p, IIF);
		b = parsed(&p, IIF);
		assert_true(tuple_equal(&a.tuple, &b.tuple));
		b = parsed(&p, IIF + 1);
		assert_false(tuple_equal(&a.tuple, &b.tuple));
		for (u32 i = 0; i < count; i++) {
			struct packet q = p;

			q.bytes[at[i]] ^= 1 << rnd() % 8;
			packet_fix(&q);
			b = parsed(&q, IIF);
			assert_false(tuple_equal(&a.tuple, &b.tuple));
		}
	}
}

/* Neither has anything else a place in it, nor what happened to be there before. */
static void key_has_nothing_else(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct ftun_packet a, b;
		struct packet p, q;
		u32 at[100], count;

		packet_some(&p, n);
		count = key_bytes(&p, at);
		packet_some(&q, n);
		while (count--)
			q.bytes[at[count]] = p.bytes[at[count]];
		packet_fix(&q);
		q.fou = p.fou;
		a = parsed(&p, IIF);
		b = parsed(&q, IIF);
		assert_true(tuple_equal(&a.tuple, &b.tuple));
		assert_memory_equal(&a.tuple, &b.tuple, 4 * a.tuple.words);
	}
}

static bool same_but_limit(const struct packet *p, const struct packet *q)
{
	return p->inner6 == q->inner6 && p->tunnel == q->tunnel &&
	       p->outer6 == q->outer6 && p->udp == q->udp &&
	       p->summed == q->summed && p->gue == q->gue &&
	       p->greh == q->greh && p->bits == q->bits;
}

/* The same addresses in other wrappings are other flows. */
static void key_has_the_shape(void **state)
{
	struct ftun_packet pkt[PACKET_SHAPES];

	for (int n = 0; n < PACKET_SHAPES; n++) {
		struct packet p = { .proto = P_UDP };

		packet_shape(&p, n);
		packet_fill(&p);
		pkt[n] = parsed(&p, IIF);
		for (int other = 0; other < n; other++) {
			struct packet q = p;

			packet_shape(&q, other);
			assert_int_equal(tuple_equal(&pkt[n].tuple,
							  &pkt[other].tuple),
					 same_but_limit(&p, &q));
		}
	}
}

/* Where the key's readers find what they are after. */
static void key_accessors(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct ftun_packet pkt;
		const struct ftun_tuple *tuple = &pkt.tuple;
		const u8 *in, *out;
		struct packet p;
		__be32 key;

		packet_some(&p, n);
		pkt = parsed(&p, IIF);
		in = p.bytes + p.inner + twin_addr_at(p.inner6);
		out = p.bytes + twin_addr_at(p.outer6);
		assert_int_equal(ftun_tuple_inner6(tuple), p.inner6);
		assert_memory_equal(ftun_tuple_saddr(tuple), in,
				    twin_addr_len(p.inner6));
		assert_memory_equal(ftun_tuple_daddr(tuple),
				    in + twin_addr_len(p.inner6),
				    twin_addr_len(p.inner6));
		if (!p.tunnel)
			continue;
		assert_int_equal(ftun_tuple_outer6(tuple), p.outer6);
		assert_memory_equal(ftun_tuple_outer_saddr(tuple), out,
				    twin_addr_len(p.outer6));
		assert_memory_equal(ftun_tuple_outer_daddr(tuple),
				    out + twin_addr_len(p.outer6),
				    twin_addr_len(p.outer6));
		key = ftun_tuple_key(tuple);
		if (p.bits & GRE_K)
			assert_memory_equal(&key, p.bytes + p.gre +
					    (p.bits & GRE_C ? 8 : 4), 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_has_every_field),
		cmocka_unit_test(key_has_nothing_else),
		cmocka_unit_test(key_has_the_shape),
		cmocka_unit_test(key_accessors),
	};

	rnd_init();
	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}

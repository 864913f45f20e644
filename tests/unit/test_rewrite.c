// SPDX-License-Identifier: GPL-2.0
/* src/rewrite.c against its twin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet.h"
#include "random.h"

#define ROUNDS		200000
#define EVERY_RULE	0xff

static void random_packet(struct packet *p, u8 proto, bool v6)
{
	memset(p, 0, sizeof(*p));
	p->inner6 = v6;
	p->proto = proto;
	p->data = rnd() % 4 ? rnd() % 64 : rnd() % 1400;
	p->l4opts = rnd() % 3 * 4;
	rnd_bytes(p->bytes, 80 + p->data);
	packet_fill(p);
}

static void any_packet(struct packet *p)
{
	random_packet(p, rnd() % 2 ? P_UDP : P_TCP, rnd() % 2);
}

static u8 *l4_check(struct packet *p)
{
	return p->bytes + twin_l4_check_at(p->bytes, p->inner6);
}

static u8 *addrs(struct packet *p)
{
	return p->bytes + twin_addr_at(p->inner6);
}

/* ---- NAT ------------------------------------------------------------------ */

static void random_addr(u8 *addr)
{
	for (int i = 0; i < 16; i += 4)
		put32(addr + i, rnd32());
}

/* What is there already. */
static struct twin_nat no_nat(struct packet *p)
{
	u32 len = twin_addr_len(p->inner6);
	struct twin_nat nat = { .sport = { 0 } };

	memcpy(nat.saddr, addrs(p), len);
	memcpy(nat.daddr, addrs(p) + len, len);
	memcpy(nat.sport, p->bytes + p->l4, 2);
	memcpy(nat.dport, p->bytes + p->l4 + 2, 2);
	return nat;
}

static struct twin_nat random_nat(struct packet *p)
{
	struct twin_nat nat = no_nat(p);
	u32 change = rnd();

	if (change & 1)
		random_addr(nat.saddr);
	if (change & 2)
		random_addr(nat.daddr);
	if (change & 4)
		put16(nat.sport, rnd16());
	if (change & 8)
		put16(nat.dport, rnd16());
	return nat;
}

/* In a heap object of the length that the function may look at. */
static void real_nat(struct packet *p, const struct twin_nat *nat,
		     const struct packet *sample, bool partial)
{
	u32 len = p->l4 + (p->proto == P_UDP ? 8 : 20);
	u8 *copy = malloc(len);
	union real_nat real;

	twin_nat_init(&real, nat, sample->bytes, p->inner6);
	memcpy(copy, p->bytes, len);
	ftun_rewrite_nat(copy, p->inner6, &real.nat, partial);
	memcpy(p->bytes, copy, len);
	free(copy);
}

/* The connection's first packet says what the deltas are; later ones use them. */
static void nat_round(u8 proto, bool v6)
{
	struct packet p, first, want;
	struct twin_nat nat;

	random_packet(&first, proto, v6);
	random_packet(&p, proto, v6);
	memcpy(addrs(&p), addrs(&first), 2 * twin_addr_len(v6) + 4);
	packet_fix(&p);
	nat = random_nat(&first);
	want = p;
	twin_nat_fields(want.bytes, v6, &nat);
	packet_fix(&want);
	real_nat(&p, &nat, &first, false);
	assert_memory_equal(p.bytes, want.bytes, p.len);
}

static void nat_recomputes_udp4(void **state)
{
	for (int i = 0; i < ROUNDS; i++)
		nat_round(P_UDP, false);
}

static void nat_recomputes_tcp4(void **state)
{
	for (int i = 0; i < ROUNDS; i++)
		nat_round(P_TCP, false);
}

static void nat_recomputes_udp6(void **state)
{
	for (int i = 0; i < ROUNDS; i++)
		nat_round(P_UDP, true);
}

static void nat_recomputes_tcp6(void **state)
{
	for (int i = 0; i < ROUNDS; i++)
		nat_round(P_TCP, true);
}

static void check_steps(struct packet *p, bool partial)
{
	struct twin_nat nat = random_nat(p);
	struct packet want = *p;

	twin_nat_steps(want.bytes, p->inner6, &nat, partial);
	real_nat(p, &nat, p, partial);
	assert_memory_equal(p->bytes, want.bytes, p->len);
}

/* Wrong checksums stay exactly as wrong as the slow path leaves them. */
static void nat_keeps_wrong_checksums(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct packet p;

		any_packet(&p);
		if (!p.inner6)
			put16(p.bytes + 10, rnd16());
		put16(l4_check(&p), rnd16());
		check_steps(&p, false);
	}
}

/* Through every source port a checksum comes by both of its zeros. */
static int zeros_of_all_ports(u8 proto, bool v6)
{
	struct packet first, p, want;
	struct twin_nat nat;
	int zeros = 0;

	random_packet(&first, proto, v6);
	nat = random_nat(&first);
	for (u32 port = 0; port < 0x10000; port++) {
		put16(nat.sport, port);
		p = first;
		want = first;
		twin_nat_fields(want.bytes, v6, &nat);
		packet_fix(&want);
		real_nat(&p, &nat, &first, false);
		assert_memory_equal(p.bytes, want.bytes, p.len);
		zeros += get16(l4_check(&p)) == (proto == P_UDP ? 0xffff : 0);
	}
	return zeros;
}

static void nat_every_port(void **state)
{
	for (int v6 = 0; v6 < 2; v6++) {
		assert_true(zeros_of_all_ports(P_UDP, v6));
		assert_true(zeros_of_all_ports(P_TCP, v6));
	}
}

static void nat_udp_without_checksum(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct packet p, want;
		struct twin_nat nat;

		random_packet(&p, P_UDP, i & 1);
		put16(l4_check(&p), 0);
		nat = random_nat(&p);
		want = p;
		twin_nat_fields(want.bytes, p.inner6, &nat);
		twin_fix_ip(want.bytes, p.inner6);
		real_nat(&p, &nat, &p, false);
		assert_memory_equal(p.bytes, want.bytes, p.len);
	}
}

/* The sum that a device is to go on from; zero and its complement are the same to it,
 * and the slow path's choice is that of its steps.
 */
static void nat_partial(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct packet p, want, steps;
		struct twin_nat nat;

		any_packet(&p);
		twin_fix_l4_partial(p.bytes, p.inner6);
		nat = random_nat(&p);
		want = p;
		twin_nat_fields(want.bytes, p.inner6, &nat);
		twin_fix_l4_partial(want.bytes, p.inner6);
		twin_fix_ip(want.bytes, p.inner6);
		steps = p;
		twin_nat_steps(steps.bytes, p.inner6, &nat, true);
		real_nat(&p, &nat, &p, true);
		assert_memory_equal(p.bytes, steps.bytes, p.len);
		if (!get16(l4_check(&want)))
			put16(l4_check(&want), 0xffff);
		assert_memory_equal(p.bytes, want.bytes, p.len);
	}
}

static void nat_partial_any_sum(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct packet p;

		any_packet(&p);
		put16(l4_check(&p), rnd16());
		check_steps(&p, true);
	}
}

/* Back and forth is where it was. */
static void nat_reverses(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct packet p, before, changed;
		struct twin_nat there, back;

		any_packet(&p);
		before = p;
		there = random_nat(&p);
		back = no_nat(&p);
		real_nat(&p, &there, &before, false);
		changed = p;
		real_nat(&p, &back, &changed, false);
		assert_memory_equal(p.bytes, before.bytes, p.len);
	}
}

/* ---- TTL, TOS ------------------------------------------------------------- */

/* Each in a heap object of the header's length. */
static void real_ttl(u8 *ip, bool v6)
{
	u8 *copy = malloc(twin_hlen(v6));

	memcpy(copy, ip, twin_hlen(v6));
	ftun_rewrite_ttl(copy, v6);
	memcpy(ip, copy, twin_hlen(v6));
	free(copy);
}

static void real_set_tos(u8 *ip, bool v6, u8 tos)
{
	u8 *copy = malloc(twin_hlen(v6));

	memcpy(copy, ip, twin_hlen(v6));
	ftun_rewrite_set_tos(copy, v6, tos);
	assert_int_equal(ftun_rewrite_tos(copy, v6), tos);
	memcpy(ip, copy, twin_hlen(v6));
	free(copy);
}

static void ttl_recomputes(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct packet p, want;
		u32 at;

		any_packet(&p);
		at = twin_ttl_at(p.inner6);
		p.bytes[at] = 1 + i % 255;
		packet_fix(&p);
		want = p;
		want.bytes[at]--;
		packet_fix(&want);
		real_ttl(p.bytes, p.inner6);
		assert_memory_equal(p.bytes, want.bytes, p.len);
	}
}

static void ttl_every_checksum(void **state)
{
	u8 ip[20], want[20];

	for (u32 check = 0; check < 0x10000; check++) {
		rnd_bytes(ip, sizeof(ip));
		ip[8] |= 1;
		put16(ip + 10, check);
		memcpy(want, ip, sizeof(ip));
		twin_ttl(want, false);
		real_ttl(ip, false);
		assert_memory_equal(ip, want, sizeof(ip));
	}
}

/* All 65536 pairs of TOS bytes, and in them all 16 of ECN. */
static void ecn_fits(void **state)
{
	for (int o = 0; o < 256; o++)
		for (int i = 0; i < 256; i++)
			assert_int_equal(ftun_rewrite_ecn_fits(o, i),
					 twin_ecn_decap(o, i) != DROP);
}

static void ecn_decap(void **state)
{
	for (int o = 0; o < 256; o++) {
		for (int i = 0; i < 256; i++) {
			int ecn = twin_ecn_decap(o, i);

			assert_int_equal(ftun_rewrite_ecn_tos(i, o), (i & 0xfc) |
					 (ecn == DROP ? NOT_ECT : ecn));
		}
	}
}

static void dscp_copy(void **state)
{
	for (int from = 0; from < 256; from++)
		for (int to = 0; to < 256; to++)
			assert_int_equal(ftun_rewrite_copy_dscp(to, from),
					 from / 4 * 4 + to % 4);
}

/* Every TOS to every other, and nothing else changes but the header's checksum. */
static void tos_recomputes(void **state)
{
	for (u32 pair = 0; pair < 0x20000; pair++) {
		bool v6 = pair & 1;
		struct packet p, want;

		random_packet(&p, P_UDP, v6);
		twin_put_tos(p.bytes, v6, pair >> 1);
		packet_fix(&p);
		assert_int_equal(ftun_rewrite_tos(p.bytes, v6), pair >> 1 & 0xff);
		want = p;
		twin_put_tos(want.bytes, v6, pair >> 9);
		packet_fix(&want);
		real_set_tos(p.bytes, v6, pair >> 9);
		assert_memory_equal(p.bytes, want.bytes, p.len);
	}
}

static void tos_every_checksum(void **state)
{
	for (u32 check = 0; check < 0x10000; check++) {
		struct packet p, want;
		u8 tos = rnd();

		random_packet(&p, P_TCP, false);
		put16(p.bytes + 10, check);
		want = p;
		twin_tos_step(want.bytes, false, tos);
		real_set_tos(p.bytes, false, tos);
		assert_memory_equal(p.bytes, want.bytes, p.len);
	}
}

/* TOS goes before the TTL, which leaves one of the two zeros: what the header's
 * checksum was before does not show, right or wrong.
 */
static void ecn_then_ttl_any_checksum(void **state)
{
	for (u32 check = 0; check < 0x10000; check++) {
		struct packet p, want;

		random_packet(&p, P_TCP, false);
		p.bytes[1] = (p.bytes[1] & 0xfc) | ECT_0;
		put16(p.bytes + 10, check);
		want = p;
		want.bytes[1] |= CE;
		/* IP_ECN_set_ce(): RFC 1624 with m' = m + 1, by addition */
		put16(want.bytes + 10, twin_fold(check + 0xfffe));
		twin_ttl(want.bytes, false);
		real_set_tos(p.bytes, false, ftun_rewrite_ecn_tos(p.bytes[1], CE));
		real_ttl(p.bytes, false);
		assert_memory_equal(p.bytes, want.bytes, p.len);
	}
}

/* ---- outer headers -------------------------------------------------------- */

static void real_outer(u8 *out, const struct ftun_outer *outer, const u8 *inner,
		       bool inner6, u16 len, u16 id)
{
	u8 *to = malloc(outer->len), *in = malloc(twin_hlen(inner6));

	memset(to, 0xa5, outer->len);
	memcpy(in, inner, twin_hlen(inner6));
	ftun_rewrite_outer(to, outer, in, inner6, len, htons(id));
	memcpy(out, to, outer->len);
	free(to);
	free(in);
}

/* As they are in packets of this shape, with everything else at random. */
static struct ftun_outer template_of(const struct packet *p, u8 rules)
{
	struct ftun_outer outer = {
		.len = p->inner, .v6 = p->outer6, .udp = p->udph, .gre = p->gre,
		.rules = rules,
	};

	memcpy(outer.hdr, p->bytes, p->inner);
	if (!p->outer6 && rnd() % 2)
		put16(outer.hdr + 6, rnd() % 2 << 14);
	return outer;
}

static void outer_round(u32 shape, u8 rules, u8 inner_tos)
{
	u8 got[FTUN_OUTER_MAX], want[FTUN_OUTER_MAX];
	struct ftun_outer outer;
	u16 len, id = rnd16();
	struct packet p, q;

	packet_some(&p, shape);
	packet_some(&q, shape);
	len = rnd16() % (0x10000 - 40) + 40;
	outer = template_of(&q, rules);
	twin_put_tos(p.bytes + p.inner, p.inner6, inner_tos);
	twin_outer(want, &outer, p.bytes + p.inner, p.inner6, len, id);
	real_outer(got, &outer, p.bytes + p.inner, p.inner6, len, id);
	assert_memory_equal(got, want, outer.len);
	if (!p.outer6)
		assert_int_equal(twin_fold(twin_sum(got, 20)), 0xffff);
}

/* Every combination of rules with every inner TOS, in all kinds of tunnels in turn; the
 * rest at random.
 */
static void outer_every_rule(void **state)
{
	u32 shape = 0;

	for (int rules = 0; rules <= EVERY_RULE; rules++)
		for (int tos = 0; tos < 256; tos++)
			for (int i = 0; i < 5; i++)
				outer_round(2 + shape++ % (PACKET_SHAPES - 2), rules, tos);
}

static void outer_ecn_table(void **state)
{
	static const u8 want[4] = {
		[NOT_ECT] = NOT_ECT, [ECT_1] = ECT_1, [ECT_0] = ECT_0, [CE] = ECT_0,
	};
	u8 got[FTUN_OUTER_MAX];

	for (int n = 2; n < PACKET_SHAPES; n++) {
		for (int rules = 0; rules <= EVERY_RULE; rules++) {
			for (int ecn = 0; ecn < 4; ecn++) {
				struct ftun_outer outer;
				struct packet p;

				packet_some(&p, n);
				outer = template_of(&p, rules);
				twin_put_tos(outer.hdr, p.outer6, 0xff);
				twin_put_tos(p.bytes + p.inner, p.inner6, 0x48 | ecn);
				real_outer(got, &outer, p.bytes + p.inner,
					   p.inner6, 100, 1);
				assert_int_equal(twin_tos(got, p.outer6) & 0xfc,
						 rules & FTUN_OUTER_TOS_INHERIT ?
						 0x48 : 0xfc);
				if (!(rules & FTUN_OUTER_ECN_AS_IS))
					assert_int_equal(twin_tos(got, p.outer6) & 3,
							 want[ecn]);
			}
		}
	}
}

/* ip6gre does not know of ECN: all of the template's TOS, or all of the inner one. */
static void outer_ecn_as_is(void **state)
{
	u8 got[FTUN_OUTER_MAX];

	for (int n = 2; n < PACKET_SHAPES; n++) {
		for (int tos = 0; tos < 256; tos++) {
			struct ftun_outer outer;
			struct packet p;

			packet_some(&p, n);
			outer = template_of(&p, FTUN_OUTER_ECN_AS_IS);
			twin_put_tos(outer.hdr, p.outer6, 0xff ^ tos);
			twin_put_tos(p.bytes + p.inner, p.inner6, tos);
			real_outer(got, &outer, p.bytes + p.inner, p.inner6, 100, 1);
			assert_int_equal(twin_tos(got, p.outer6), 0xff ^ tos);
			outer.rules |= FTUN_OUTER_TOS_INHERIT;
			real_outer(got, &outer, p.bytes + p.inner, p.inner6, 100, 1);
			assert_int_equal(twin_tos(got, p.outer6), tos);
		}
	}
}

/* All that is behind the IP header is the template's; nothing is written after it. */
static void outer_keeps_the_rest(void **state)
{
	u8 got[FTUN_OUTER_MAX];

	for (int n = 2; n < PACKET_KINDS; n++) {
		struct ftun_outer outer;
		struct packet p;
		u32 hlen;

		packet_some(&p, n);
		if (!p.tunnel)
			continue;
		outer = template_of(&p, rnd() & EVERY_RULE);
		hlen = twin_hlen(p.outer6);
		real_outer(got, &outer, p.bytes + p.inner, p.inner6, 100, 1);
		assert_memory_equal(got + hlen, outer.hdr + hlen, outer.len - hlen);
		assert_memory_equal(got + twin_addr_at(p.outer6),
				    outer.hdr + twin_addr_at(p.outer6),
				    2 * twin_addr_len(p.outer6));
		assert_int_equal(got[twin_proto_at(p.outer6)],
				 outer.hdr[twin_proto_at(p.outer6)]);
	}
}

static u32 label_after(struct packet *p, u8 rules, u32 template, u32 inner)
{
	struct ftun_outer outer = template_of(p, rules);
	u8 got[FTUN_OUTER_MAX];

	twin_label(outer.hdr, template);
	if (p->inner6)
		twin_label(p->bytes + p->inner, inner);
	real_outer(got, &outer, p->bytes + p->inner, p->inner6, 100, 1);
	return get32(got) & 0xfffff;
}

/* The inner label if that is the rule and there is one, else the template's. */
static void outer_label(void **state)
{
	for (int n = 2; n < PACKET_KINDS; n++) {
		u32 template = rnd() & 0xfffff, inner = (rnd() & 0xfffff) | 1;
		struct packet p;

		packet_some(&p, n);
		if (!p.outer6)
			continue;
		assert_int_equal(label_after(&p, 0, template, inner), template);
		assert_int_equal(label_after(&p, FTUN_OUTER_LABEL_AUTO, template, inner),
				 template);
		assert_int_equal(label_after(&p, FTUN_OUTER_LABEL_INHERIT, template, inner),
				 p.inner6 ? inner : template);
		assert_int_equal(label_after(&p, FTUN_OUTER_LABEL_INHERIT, template, 0),
				 template);
		inner = 1 << rnd() % 20;
		assert_int_equal(label_after(&p, FTUN_OUTER_LABEL_INHERIT |
					     FTUN_OUTER_LABEL_AUTO, template, inner),
				 p.inner6 ? inner : template);
	}
}

/* 20 bits and nothing beside them, whatever was there. */
static void label_is_written(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		u32 label = rnd32() & 0xfffff;
		struct ipv6hdr ip6h;
		u8 ip[40], got[40];

		rnd_bytes(ip, sizeof(ip));
		memcpy(&ip6h, ip, sizeof(ip6h));
		ftun_rewrite_label(&ip6h, htonl(label));
		memcpy(got, &ip6h, sizeof(got));
		twin_label(ip, label);
		assert_memory_equal(got, ip, sizeof(ip));
	}
}

/* Each field with a rule of its own, and that it is this field alone. */
static void outer_inherits(void **state)
{
	for (int n = 2; n < PACKET_SHAPES; n++) {
		u8 plain[FTUN_OUTER_MAX], got[FTUN_OUTER_MAX];
		struct ftun_outer outer;
		struct packet p;
		const u8 *in;

		packet_some(&p, n);
		in = p.bytes + p.inner;
		outer = template_of(&p, 0);
		outer.hdr[twin_ttl_at(p.outer6)] = 77;
		p.bytes[p.inner + 6] = 0x40;	/* DF in IPv4 alone */
		if (!p.outer6)
			outer.hdr[6] = 0;
		real_outer(plain, &outer, in, p.inner6, 100, 1);
		assert_int_equal(plain[twin_ttl_at(p.outer6)], 77);
		outer.rules = FTUN_OUTER_TTL_INHERIT;
		real_outer(got, &outer, in, p.inner6, 100, 1);
		assert_int_equal(got[twin_ttl_at(p.outer6)], in[twin_ttl_at(p.inner6)]);
		got[twin_ttl_at(p.outer6)] = 77;
		twin_fix_ip(got, p.outer6);
		assert_memory_equal(got, plain, outer.len);
		outer.rules = FTUN_OUTER_DF_INHERIT;
		real_outer(got, &outer, in, p.inner6, 100, 1);
		if (!p.outer6) {
			assert_int_equal(got[6], p.inner6 ? 0 : 0x40);
			got[6] = 0;
			twin_fix_ip(got, false);
		}
		assert_memory_equal(got, plain, outer.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nat_recomputes_udp4),
		cmocka_unit_test(nat_recomputes_tcp4),
		cmocka_unit_test(nat_recomputes_udp6),
		cmocka_unit_test(nat_recomputes_tcp6),
		cmocka_unit_test(nat_keeps_wrong_checksums),
		cmocka_unit_test(nat_every_port),
		cmocka_unit_test(nat_udp_without_checksum),
		cmocka_unit_test(nat_partial),
		cmocka_unit_test(nat_partial_any_sum),
		cmocka_unit_test(nat_reverses),
		cmocka_unit_test(ttl_recomputes),
		cmocka_unit_test(ttl_every_checksum),
		cmocka_unit_test(ecn_fits),
		cmocka_unit_test(ecn_decap),
		cmocka_unit_test(dscp_copy),
		cmocka_unit_test(tos_recomputes),
		cmocka_unit_test(tos_every_checksum),
		cmocka_unit_test(ecn_then_ttl_any_checksum),
		cmocka_unit_test(outer_every_rule),
		cmocka_unit_test(outer_ecn_table),
		cmocka_unit_test(outer_ecn_as_is),
		cmocka_unit_test(outer_keeps_the_rest),
		cmocka_unit_test(outer_label),
		cmocka_unit_test(label_is_written),
		cmocka_unit_test(outer_inherits),
	};

	rnd_init();
	return cmocka_run_group_tests_name("rewrite", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0
/* src/rewrite.c against its twin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "packet.h"
#include "random.h"

#include <netinet/in.h>

#define ROUNDS	200000

static void random_packet(struct packet *p, u8 proto)
{
	memset(p, 0, sizeof(*p));
	p->proto = proto;
	p->data = rnd() % 4 ? rnd() % 64 : rnd() % 1400;
	p->l4opts = rnd() % 3 * 4;
	rnd_bytes(p->bytes, 60 + p->data);
	packet_fill(p);
}

static struct twin_nat random_nat(const u8 *ip)
{
	u32 change = rnd();

	return (struct twin_nat) {
		.saddr = change & 1 ? rnd32() : get32(ip + 12),
		.daddr = change & 2 ? rnd32() : get32(ip + 16),
		.sport = change & 4 ? rnd16() : get16(ip + 20),
		.dport = change & 8 ? rnd16() : get16(ip + 22),
	};
}

/* In a heap object of the length that the function may look at. */
static void real_nat(u8 *ip, const struct twin_nat *nat, const u8 *sample,
		     bool partial)
{
	u32 len = 20 + (ip[9] == IPPROTO_UDP ? 8 : 20);
	struct ftun_nat real = twin_nat_init(nat, sample);
	u8 *copy = malloc(len);

	memcpy(copy, ip, len);
	ftun_rewrite_nat((struct iphdr *)copy, &real, partial);
	memcpy(ip, copy, len);
	free(copy);
}

/* The connection's first packet says what the deltas are; later ones use them. */
static void nat_round(u8 proto)
{
	struct packet p, first, want;
	struct twin_nat nat;

	random_packet(&first, proto);
	random_packet(&p, proto);
	memcpy(p.bytes + 12, first.bytes + 12, 12);
	packet_fix(&p);
	nat = random_nat(first.bytes);
	want = p;
	twin_nat_fields(want.bytes, &nat);
	packet_fix(&want);
	real_nat(p.bytes, &nat, first.bytes, false);
	assert_memory_equal(p.bytes, want.bytes, p.len);
}

static void nat_recomputes_udp(void **state)
{
	for (int i = 0; i < ROUNDS; i++)
		nat_round(IPPROTO_UDP);
}

static void nat_recomputes_tcp(void **state)
{
	for (int i = 0; i < ROUNDS; i++)
		nat_round(IPPROTO_TCP);
}

/* Wrong checksums stay exactly as wrong as the slow path leaves them. */
static void nat_keeps_wrong_checksums(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct packet p, want;
		struct twin_nat nat;

		random_packet(&p, rnd() % 2 ? IPPROTO_UDP : IPPROTO_TCP);
		put16(p.bytes + 10, rnd16());
		put16(p.bytes + (p.proto == IPPROTO_UDP ? 26 : 36), rnd16());
		nat = random_nat(p.bytes);
		want = p;
		twin_nat_steps(want.bytes, &nat, false);
		real_nat(p.bytes, &nat, p.bytes, false);
		assert_memory_equal(p.bytes, want.bytes, p.len);
	}
}

/* Through every source port a checksum comes by both of its zeros. */
static void nat_every_port(void **state)
{
	int zeros = 0;

	for (int proto = IPPROTO_TCP; proto; proto = proto == IPPROTO_TCP ? IPPROTO_UDP : 0) {
		struct packet first;

		random_packet(&first, proto);
		for (u32 port = 0; port < 0x10000; port++) {
			struct packet p = first, want;
			struct twin_nat nat = random_nat(p.bytes);

			nat.sport = port;
			want = p;
			twin_nat_fields(want.bytes, &nat);
			packet_fix(&want);
			real_nat(p.bytes, &nat, first.bytes, false);
			assert_memory_equal(p.bytes, want.bytes, p.len);
		}
		for (u32 port = 0; port < 0x10000; port++) {
			struct twin_nat nat = {
				.saddr = 1, .daddr = 2, .sport = port, .dport = 3,
			};
			struct packet p = first, want = first;

			twin_nat_fields(want.bytes, &nat);
			packet_fix(&want);
			real_nat(p.bytes, &nat, first.bytes, false);
			assert_memory_equal(p.bytes, want.bytes, p.len);
			zeros += get16(p.bytes + (proto == IPPROTO_UDP ? 26 : 36)) ==
				 (proto == IPPROTO_UDP ? 0xffff : 0);
		}
	}
	assert_true(zeros >= 2);
}

static void nat_udp_without_checksum(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct packet p, want;
		struct twin_nat nat;

		random_packet(&p, IPPROTO_UDP);
		put16(p.bytes + 26, 0);
		nat = random_nat(p.bytes);
		want = p;
		twin_nat_fields(want.bytes, &nat);
		twin_fix_ip(want.bytes);
		real_nat(p.bytes, &nat, p.bytes, false);
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
		u8 *check;

		random_packet(&p, rnd() % 2 ? IPPROTO_UDP : IPPROTO_TCP);
		twin_fix_l4_partial(p.bytes, get16(p.bytes + 2));
		nat = random_nat(p.bytes);
		want = p;
		twin_nat_fields(want.bytes, &nat);
		twin_fix_l4_partial(want.bytes, get16(p.bytes + 2));
		twin_fix_ip(want.bytes);
		steps = p;
		twin_nat_steps(steps.bytes, &nat, true);
		real_nat(p.bytes, &nat, p.bytes, true);
		assert_memory_equal(p.bytes, steps.bytes, p.len);
		check = want.bytes + (p.proto == IPPROTO_UDP ? 26 : 36);
		if (!get16(check))
			put16(check, 0xffff);
		assert_memory_equal(p.bytes, want.bytes, p.len);
	}
}

static void nat_partial_any_sum(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct packet p, want;
		struct twin_nat nat;

		random_packet(&p, rnd() % 2 ? IPPROTO_UDP : IPPROTO_TCP);
		put16(p.bytes + (p.proto == IPPROTO_UDP ? 26 : 36), rnd16());
		nat = random_nat(p.bytes);
		want = p;
		twin_nat_steps(want.bytes, &nat, true);
		real_nat(p.bytes, &nat, p.bytes, true);
		assert_memory_equal(p.bytes, want.bytes, p.len);
	}
}

/* Back and forth is where it was. */
static void nat_reverses(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct packet p, before;
		struct twin_nat there, back;
		u8 changed[24];

		random_packet(&p, rnd() % 2 ? IPPROTO_UDP : IPPROTO_TCP);
		before = p;
		there = random_nat(p.bytes);
		back = (struct twin_nat) {
			get32(p.bytes + 12), get32(p.bytes + 16),
			get16(p.bytes + 20), get16(p.bytes + 22),
		};
		real_nat(p.bytes, &there, p.bytes, false);
		memcpy(changed, p.bytes, sizeof(changed));
		real_nat(p.bytes, &back, changed, false);
		assert_memory_equal(p.bytes, before.bytes, p.len);
	}
}

static void real_ttl(u8 *ip)
{
	struct iphdr iph;

	memcpy(&iph, ip, sizeof(iph));
	ftun_rewrite_ttl(&iph);
	memcpy(ip, &iph, sizeof(iph));
}

static void ttl_recomputes(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct packet p, want;

		random_packet(&p, IPPROTO_UDP);
		p.bytes[8] = 1 + i % 255;
		packet_fix(&p);
		want = p;
		want.bytes[8]--;
		packet_fix(&want);
		real_ttl(p.bytes);
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
		twin_ttl(want);
		real_ttl(ip);
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
			struct packet p, want;
			struct iphdr iph;

			random_packet(&p, IPPROTO_UDP);
			p.bytes[1] = i;
			packet_fix(&p);
			want = p;
			want.bytes[1] = (i & 0xfc) | (ecn == DROP ? NOT_ECT : ecn);
			packet_fix(&want);
			memcpy(&iph, p.bytes, sizeof(iph));
			ftun_rewrite_ecn(&iph, o);
			memcpy(p.bytes, &iph, sizeof(iph));
			assert_memory_equal(p.bytes, want.bytes, p.len);
			assert_int_equal(ftun_rewrite_ecn_tos(i, o), p.bytes[1]);
		}
	}
}

/* ECN goes before the TTL, which leaves one of the two zeros: what the header's
 * checksum was before does not show, right or wrong.
 */
static void ecn_then_ttl_any_checksum(void **state)
{
	for (u32 check = 0; check < 0x10000; check++) {
		struct packet p, want;
		struct iphdr iph;

		random_packet(&p, IPPROTO_TCP);
		p.bytes[1] = (p.bytes[1] & 0xfc) | ECT_0;
		put16(p.bytes + 10, check);
		want = p;
		want.bytes[1] |= CE;
		/* RFC 1624 with m' = m + 1 */
		put16(want.bytes + 10, twin_fold(check + 0xfffe));
		twin_ttl(want.bytes);
		memcpy(&iph, p.bytes, sizeof(iph));
		ftun_rewrite_ecn(&iph, CE);
		ftun_rewrite_ttl(&iph);
		memcpy(p.bytes, &iph, sizeof(iph));
		assert_memory_equal(p.bytes, want.bytes, p.len);
	}
}

static void real_outer(u8 *out, const u8 *template, u8 rules, const u8 *inner,
		       u16 len, u16 id)
{
	struct ftun_outer outer = { .rules = rules };
	struct iphdr *iph = malloc(sizeof(*iph)), *in = malloc(sizeof(*in));

	memcpy(&outer.hdr, template, 20);
	memcpy(in, inner, 20);
	ftun_rewrite_outer(iph, &outer, in, len, htons(id));
	memcpy(out, iph, 20);
	free(iph);
	free(in);
}

static void outer_round(u8 rules, u8 inner_tos)
{
	u8 template[20], got[20], want[20];
	u16 len = rnd16(), id = rnd16();
	struct packet p;

	random_packet(&p, IPPROTO_UDP);
	p.bytes[1] = inner_tos;
	rnd_bytes(template, sizeof(template));
	template[0] = 0x45;
	if (rnd() % 2)
		put16(template + 6, rnd() % 2 << 14);
	twin_outer(want, template, rules, p.bytes, len, id);
	real_outer(got, template, rules, p.bytes, len, id);
	assert_memory_equal(got, want, 20);
	assert_int_equal(twin_fold(twin_sum(got, 20)), 0xffff);
}

/* Every combination of rules with every inner TOS; the rest at random. */
static void outer_every_rule(void **state)
{
	for (int rules = 0; rules < 8; rules++)
		for (int tos = 0; tos < 256; tos++)
			for (int i = 0; i < 50; i++)
				outer_round(rules, tos);
}

static void outer_ecn_table(void **state)
{
	static const u8 want[4] = {
		[NOT_ECT] = NOT_ECT, [ECT_1] = ECT_1, [ECT_0] = ECT_0, [CE] = ECT_0,
	};
	u8 template[20] = { 0x45, 0xff }, got[20];
	struct packet p;

	for (int rules = 0; rules < 8; rules++) {
		for (int ecn = 0; ecn < 4; ecn++) {
			random_packet(&p, IPPROTO_UDP);
			p.bytes[1] = 0x48 | ecn;
			real_outer(got, template, rules, p.bytes, 100, 1);
			assert_int_equal(got[1], want[ecn] |
					 (rules & FTUN_OUTER_TOS_INHERIT ? 0x48 : 0xfc));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nat_recomputes_udp),
		cmocka_unit_test(nat_recomputes_tcp),
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
		cmocka_unit_test(ecn_then_ttl_any_checksum),
		cmocka_unit_test(outer_every_rule),
		cmocka_unit_test(outer_ecn_table),
	};

	rnd_init();
	return cmocka_run_group_tests_name("rewrite", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0
/* Whether src/parse.c takes a checksum for right, against its twin: the transport's
 * and GRE's, with and without a device that knows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "packet.h"
#include "random.h"

#define IIF	7

/* Of the packet at hand. */
static struct ftun_fou fou;

static void next_packet(struct packet *p, u32 n)
{
	packet_some(p, n);
	fou = p->fou;
}

static struct ftun_packet parsed(struct sk_buff *skb)
{
	struct ftun_packet pkt;

	assert_int_equal(ftun_parse(skb, IIF, &fou, &pkt), FTUN_OK);
	return pkt;
}

static bool l4_ok(struct sk_buff *skb)
{
	struct ftun_packet pkt = parsed(skb);
	bool ok = ftun_parse_l4_csum_ok(skb, &pkt);

	assert_int_equal(ok, twin_l4_ok(skb, &pkt));
	return ok;
}

static bool udp_ok(struct sk_buff *skb)
{
	struct ftun_packet pkt = parsed(skb);
	bool ok = ftun_parse_udp_csum_ok(skb, &pkt);

	assert_int_equal(ok, twin_udp_ok(skb, &pkt));
	return ok;
}

static bool gre_ok(struct sk_buff *skb)
{
	struct ftun_packet pkt = parsed(skb);
	bool ok = ftun_parse_gre_csum_ok(skb, &pkt);

	assert_int_equal(ok, twin_gre_ok(skb, &pkt));
	return ok;
}

/* What a device would have summed: everything it was given. */
static void summed_by_device(struct sk_buff *skb)
{
	skb->ip_summed = CHECKSUM_COMPLETE;
	skb->csum = htons(twin_fold(twin_sum(skb->all, skb->len)));
}

/* It counts from the outermost checksum on. */
static void vouched_by_device(struct sk_buff *skb, u8 level)
{
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = level;
}

static void left_to_device(struct sk_buff *skb, int at)
{
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_at = at;
}

static u8 *l4_check(struct packet *p)
{
	u8 *ip = p->bytes + p->inner;

	return ip + twin_l4_check_at(ip, p->inner6);
}

/* ---- TCP and UDP ---------------------------------------------------------- */

static void check_l4_sum(struct packet *p, u16 sum, bool ok)
{
	struct sk_buff *skb;

	put16(l4_check(p), sum);
	packet_fix_outer(p, p->bytes);
	skb = packet_skb(p, rnd() % p->len);
	assert_int_equal(l4_ok(skb), ok);
	summed_by_device(skb);
	assert_int_equal(l4_ok(skb), ok);
	skb_unmake(skb);
}

/* Of all values of the transport checksum: right, and UDP's zero. */
static void every_l4_checksum(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		u16 right;

		next_packet(&p, n);
		right = get16(l4_check(&p));
		for (u32 i = 0; i < 0x10000; i += 1 + rnd() % 1024) {
			u16 sum = rnd() % 4 ? i : right;

			check_l4_sum(&p, sum, sum == right ||
				     (!sum && p.proto == P_UDP) ||
				     (sum == 0xffff && !right));
		}
		check_l4_sum(&p, 0, !right || p.proto == P_UDP);
		check_l4_sum(&p, 0xffff, !right || right == 0xffff);
	}
}

static void check_l4_bit(const struct packet *p, u32 at)
{
	bool padding = at >= p->len - p->pad;
	struct packet q = *p;
	struct ftun_packet pkt;
	struct sk_buff *skb;

	q.bytes[at] ^= 1 << rnd() % 8;
	packet_fix_outer(&q, q.bytes);
	if (p->proto == P_UDP && !get16(l4_check(&q)))
		return;
	skb = packet_skb(&q, 0);
	if (ftun_parse(skb, IIF, &fou, &pkt) == FTUN_OK) {
		assert_int_equal(l4_ok(skb), padding);
		summed_by_device(skb);
		assert_int_equal(l4_ok(skb), padding);
	}
	skb_unmake(skb);
}

/* A packet that was damaged anywhere behind its IP header, padding excepted. */
static void every_l4_bit(void **state)
{
	for (int n = 0; n < 2 * PACKET_KINDS; n++) {
		struct packet p;

		next_packet(&p, n);
		for (u32 at = p.l4; at < p.len; at++)
			check_l4_bit(&p, at);
	}
}

/* The inner addresses are in the sum, IPv6's in particular: nothing else guards them. */
static void every_address_bit(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		u32 at, end;

		next_packet(&p, n);
		at = p.inner + twin_addr_at(p.inner6);
		end = at + 2 * twin_addr_len(p.inner6);
		for (; at < end; at++) {
			struct packet q = p;
			struct sk_buff *skb;

			q.bytes[at] ^= 1 << rnd() % 8;
			twin_fix_ip(q.bytes + q.inner, q.inner6);
			packet_fix_outer(&q, q.bytes);
			skb = packet_skb(&q, 0);
			assert_false(l4_ok(skb));
			skb_unmake(skb);
		}
	}
}

/* A packet whose transport checksum is wrong, GRE's is right. */
static struct sk_buff *wrong_l4(struct packet *p, u32 n)
{
	u16 sum;

	next_packet(p, n);
	sum = get16(l4_check(p)) ^ 0x0100;
	put16(l4_check(p), sum ? sum : 0x0200);
	packet_fix_outer(p, p->bytes);
	return packet_skb(p, 0);
}

/* The first ones that a device vouches for are UDP's, even if it is none, and GRE's. */
static void l4_vouched(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		struct sk_buff *skb = wrong_l4(&p, n);

		assert_false(l4_ok(skb));
		for (int level = 0; level < 4; level++) {
			vouched_by_device(skb, level);
			assert_int_equal(l4_ok(skb), level >= p.udp + !!(p.bits & GRE_C));
		}
		skb_unmake(skb);
	}
}

/* A sum that is yet to be filled in is the inner packet's or one outside it. */
static void l4_left_to_device(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		struct sk_buff *skb = wrong_l4(&p, n);

		for (int at = -64; at < 200; at++) {
			left_to_device(skb, at);
			assert_int_equal(l4_ok(skb), at >= (int)p.inner);
		}
		skb_unmake(skb);
	}
}

/* A sum that a device has got wrong is none to go by. */
static void l4_summed_wrong(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		struct sk_buff *skb;

		next_packet(&p, n);
		skb = packet_skb(&p, 0);
		summed_by_device(skb);
		skb->csum += htons(0x1000);
		assert_int_equal(l4_ok(skb), p.pad != 0);
		skb_unmake(skb);
	}
}

/* ---- GRE ------------------------------------------------------------------ */

/* With a checksum or 0. */
static bool gre_packet(struct packet *p, u32 n)
{
	next_packet(p, n);
	return p->bits & GRE_C;
}

static void every_gre_checksum(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		u16 right;

		if (!gre_packet(&p, n))
			continue;
		right = get16(p.bytes + p.gre + 4);
		for (u32 i = 0; i < 0x10000; i += 1 + rnd() % 1024) {
			u16 sum = rnd() % 8 ? i : rnd() % 2 ? right : ~right;
			bool ok = sum == right || (!right && sum == 0xffff);
			struct sk_buff *skb;

			put16(p.bytes + p.gre + 4, sum);
			skb = packet_skb(&p, rnd() % p.len);
			assert_int_equal(gre_ok(skb), ok);
			summed_by_device(skb);
			assert_int_equal(gre_ok(skb), ok);
			skb_unmake(skb);
		}
	}
}

/* Damaged anywhere from the GRE header to the end, padding excepted. */
static void every_gre_bit(void **state)
{
	for (int n = 0; n < 2 * PACKET_KINDS; n++) {
		struct packet p;

		if (!gre_packet(&p, n))
			continue;
		for (u32 at = p.gre; at < p.len; at++) {
			bool padding = at >= p.len - p.pad;
			struct packet q = p;
			struct ftun_packet pkt;
			struct sk_buff *skb;

			q.bytes[at] ^= 1 << rnd() % 8;
			skb = packet_skb(&q, 0);
			if (ftun_parse(skb, IIF, &fou, &pkt) == FTUN_OK &&
			    pkt.tuple.shape & FTUN_SHAPE_GRE_CSUM) {
				assert_int_equal(gre_ok(skb), padding);
				summed_by_device(skb);
				assert_int_equal(gre_ok(skb), padding);
			}
			skb_unmake(skb);
		}
	}
}

static struct sk_buff *wrong_gre(struct packet *p)
{
	p->bytes[p->gre + 4] ^= 1;
	return packet_skb(p, 0);
}

static void gre_vouched(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		struct sk_buff *skb;

		if (!gre_packet(&p, n))
			continue;
		skb = wrong_gre(&p);
		assert_false(gre_ok(skb));
		for (int level = 0; level < 4; level++) {
			vouched_by_device(skb, level);
			assert_int_equal(gre_ok(skb), level >= p.udp);
		}
		skb_unmake(skb);
	}
}

/* One that begins before the GRE header says nothing of GRE's. */
static void gre_left_to_device(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		struct sk_buff *skb;

		if (!gre_packet(&p, n))
			continue;
		skb = wrong_gre(&p);
		for (int at = -64; at < 200; at++) {
			left_to_device(skb, at);
			assert_int_equal(gre_ok(skb), at >= (int)p.gre);
		}
		skb_unmake(skb);
	}
}

/* A packet keeps what some tunnel before this one found out about its own checksum. */
static void gre_stale_verdict(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		struct sk_buff *skb;

		if (!gre_packet(&p, n))
			continue;
		skb = wrong_gre(&p);
		skb->csum_valid = true;
		assert_false(gre_ok(skb));
		skb_unmake(skb);
	}
}

static void gre_summed_wrong(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		struct sk_buff *skb;

		if (!gre_packet(&p, n))
			continue;
		skb = packet_skb(&p, 0);
		summed_by_device(skb);
		skb->csum += htons(0x1000);
		assert_int_equal(gre_ok(skb), p.pad != 0);
		skb_unmake(skb);
	}
}

/* ---- UDP outside ---------------------------------------------------------- */

/* With a checksum or 0. */
static bool udp_packet(struct packet *p, u32 n)
{
	next_packet(p, n);
	return p->udp && p->summed;
}

/* But for 0, which says that there is none. */
static void every_udp_checksum(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		u16 right;

		if (!udp_packet(&p, n))
			continue;
		right = get16(p.bytes + p.udph + 6);
		for (u32 i = 1; i < 0x10000; i += 1 + rnd() % 1024) {
			u16 sum = rnd() % 8 ? i : right;
			struct sk_buff *skb;

			put16(p.bytes + p.udph + 6, sum);
			skb = packet_skb(&p, rnd() % p.len);
			assert_int_equal(udp_ok(skb), sum == right);
			summed_by_device(skb);
			assert_int_equal(udp_ok(skb), sum == right);
			skb_unmake(skb);
		}
	}
}

/* Damaged anywhere from the addresses to the end, padding and what the packet cannot
 * be parsed without excepted.
 */
static void every_udp_bit(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;

		if (!udp_packet(&p, n))
			continue;
		for (u32 at = twin_addr_at(p.outer6); at < p.len; at++) {
			bool padding = at >= p.len - p.pad;
			struct packet q = p;
			struct ftun_packet pkt;
			struct sk_buff *skb;

			if (p.limit && at >= 40 && at < 48)
				continue;
			q.bytes[at] ^= 1 << rnd() % 8;
			twin_fix_ip(q.bytes, q.outer6);
			skb = packet_skb(&q, 0);
			if (ftun_parse(skb, IIF, &fou, &pkt) == FTUN_OK &&
			    pkt.tuple.shape & FTUN_SHAPE_UDP_CSUM) {
				assert_int_equal(udp_ok(skb), padding);
				summed_by_device(skb);
				assert_int_equal(udp_ok(skb), padding);
			}
			skb_unmake(skb);
		}
	}
}

static struct sk_buff *wrong_udp(struct packet *p)
{
	p->bytes[p->udph + 6] ^= 1;
	p->bytes[p->udph + 7] |= 1;
	return packet_skb(p, 0);
}

static void udp_vouched(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		struct sk_buff *skb;

		if (!udp_packet(&p, n))
			continue;
		skb = wrong_udp(&p);
		skb->csum_valid = true;
		assert_false(udp_ok(skb));
		for (int level = 0; level < 4; level++) {
			vouched_by_device(skb, level);
			assert_true(udp_ok(skb));
		}
		for (int at = -64; at < 200; at++) {
			left_to_device(skb, at);
			assert_int_equal(udp_ok(skb), at >= (int)p.udph);
		}
		skb_unmake(skb);
	}
}

static void udp_summed_wrong(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		struct sk_buff *skb;

		if (!udp_packet(&p, n))
			continue;
		skb = packet_skb(&p, 0);
		summed_by_device(skb);
		skb->csum += htons(0x1000);
		assert_int_equal(udp_ok(skb), p.pad != 0);
		skb_unmake(skb);
	}
}

/* ---- as large as can be --------------------------------------------------- */

/* The same headers with @len bytes in all and random data. */
static void fill_large(u8 *bytes, const struct packet *p, u32 len)
{
	u8 *ip = bytes + p->inner, *l4 = bytes + p->l4;

	rnd_bytes(bytes, len);
	memcpy(bytes, p->bytes, p->len - p->data - p->pad);
	twin_put_ip_len(ip, p->inner6, len - p->inner);
	if (p->proto == P_UDP)
		put16(l4 + 4, len - p->l4);
	twin_fix_l4(ip, p->inner6);
	twin_fix_ip(ip, p->inner6);
	if (!p->tunnel)
		return;
	twin_put_ip_len(bytes, p->outer6, len);
	if (p->udp)
		put16(bytes + p->udph + 4, len - p->udph);
	packet_fix_outer(p, bytes);
}

static void check_large(const struct packet *p, u8 *bytes, u32 len)
{
	struct sk_buff *skb = skb_make(bytes, len, 0);
	struct ftun_packet pkt, want;

	skb->protocol = packet_first6(p) ? htons(0x86dd) : htons(0x0800);
	pkt = parsed(skb);
	assert_int_equal(twin_parse(skb, IIF, &fou, &want), FTUN_OK);
	assert_string_equal(twin_differs(&pkt, &want) ?: "", "");
	for (int i = 0; i < 2; i++) {
		assert_true(l4_ok(skb));
		if (p->udp && p->summed)
			assert_true(udp_ok(skb));
		if (p->bits & GRE_C)
			assert_true(gre_ok(skb));
		summed_by_device(skb);
	}
	skb_unmake(skb);
}

static void large_packets(void **state)
{
	u8 *bytes = malloc(0x10000 + 100);

	for (int n = 0; n < PACKET_KINDS; n++) {
		u32 len = 0xffff - (n & 1 ? 0 : rnd() % 3000);
		struct packet p;

		next_packet(&p, n / 2 * 2 + rnd() % 2);
		rnd_bytes(bytes + len, 100);
		fill_large(bytes, &p, len);
		check_large(&p, bytes, len + rnd() % 100);
	}
	free(bytes);
}

/* IPv6 can say that it is longer than an IPv4 packet may be: not for us. */
static void too_large(void **state)
{
	u8 *bytes = malloc(0x10000 + 100);

	for (int n = 1; n < PACKET_SHAPES; n++) {
		struct packet p;

		next_packet(&p, n);
		if (!packet_first6(&p))
			continue;
		fill_large(bytes, &p, 0xffff);
		for (u32 more = 0; more <= 40; more++) {
			struct sk_buff *skb;
			struct ftun_packet pkt;

			put16(bytes + 4, 0xffff - 40 + more);
			skb = skb_make(bytes, 0x10000 + 100, 0);
			skb->protocol = htons(0x86dd);
			assert_int_equal(ftun_parse(skb, IIF, &fou, &pkt), more ?
					 FTUN_STAT_pass_header : FTUN_OK);
			skb_unmake(skb);
		}
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_l4_checksum),
		cmocka_unit_test(every_l4_bit),
		cmocka_unit_test(every_address_bit),
		cmocka_unit_test(l4_vouched),
		cmocka_unit_test(l4_left_to_device),
		cmocka_unit_test(l4_summed_wrong),
		cmocka_unit_test(every_gre_checksum),
		cmocka_unit_test(every_gre_bit),
		cmocka_unit_test(gre_vouched),
		cmocka_unit_test(gre_left_to_device),
		cmocka_unit_test(gre_stale_verdict),
		cmocka_unit_test(gre_summed_wrong),
		cmocka_unit_test(every_udp_checksum),
		cmocka_unit_test(every_udp_bit),
		cmocka_unit_test(udp_vouched),
		cmocka_unit_test(udp_summed_wrong),
		cmocka_unit_test(large_packets),
		cmocka_unit_test(too_large),
	};

	rnd_init();
	return cmocka_run_group_tests_name("csum", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0
/* src/parse.c against its twin. skb.c and ASan see every byte that is read without
 * having been pulled, and every pointer that is kept over a pull.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "packet.h"
#include "random.h"

#include <netinet/in.h>

#define IIF	7
#define LINEAR	2048	/* all of it */

/* Both kinds with both transports, in turn. */
static void some_packet(struct packet *p, u32 n)
{
	memset(p, 0, sizeof(*p));
	p->proto = n & 1 ? IPPROTO_TCP : IPPROTO_UDP;
	p->inner = n & 2 ? 20 : 0;
	p->l4opts = n & 4 ? 12 : 0;
	p->data = rnd() % 40;
	p->pad = n & 8 ? rnd() % 30 : 0;
	rnd_bytes(p->bytes, 140);
	packet_fill(p);
}

static void assert_same(const struct ftun_packet *got,
			const struct ftun_packet *want)
{
	assert_memory_equal(&got->tuple, &want->tuple, sizeof(want->tuple));
	assert_int_equal(got->len, want->len);
	assert_int_equal(got->inner, want->inner);
	assert_int_equal(got->outer_len, want->outer_len);
	assert_int_equal(got->inner_len, want->inner_len);
	assert_int_equal(got->l4_hlen, want->l4_hlen);
	assert_int_equal(got->tos, want->tos);
	assert_int_equal(got->outer_tos, want->outer_tos);
	assert_int_equal(got->tcp_flags, want->tcp_flags);
}

/* @got starts as rubbish: the parser has to write all of it. */
static enum ftun_stat check_skb(struct sk_buff *skb)
{
	struct ftun_packet got, want;
	enum ftun_stat reason;

	memset(&got, 0xa5, sizeof(got));
	reason = ftun_parse(skb, IIF, &got);
	assert_int_equal(reason, twin_parse(skb, IIF, &want));
	assert_memory_equal(skb->data, skb->all, skb->linear);
	if (reason != FTUN_OK)
		return reason;
	assert_same(&got, &want);
	assert_int_equal(ftun_parse_l4_csum_ok(skb, &got),
			 twin_l4_ok(skb, &got));
	return reason;
}

static enum ftun_stat check_bytes(const u8 *bytes, u32 len, u32 linear)
{
	struct sk_buff *skb = skb_make(bytes, len, linear);
	enum ftun_stat reason = check_skb(skb);

	skb_unmake(skb);
	return reason;
}

static void valid_packets(void **state)
{
	struct packet p;

	for (int n = 0; n < 20000; n++) {
		some_packet(&p, n);
		assert_int_equal(check_bytes(p.bytes, p.len, LINEAR), FTUN_OK);
	}
}

/* However little of the packet is in the linear part at first. */
static void every_split(void **state)
{
	struct packet p;

	for (int n = 0; n < 16 * 8; n++) {
		some_packet(&p, n);
		for (u32 linear = 0; linear <= p.len; linear++)
			assert_int_equal(check_bytes(p.bytes, p.len, linear),
					 FTUN_OK);
	}
}

/* Cut anywhere, it is no packet any more, unless what is lost is padding. */
static void every_truncation(void **state)
{
	struct packet p;

	for (int n = 0; n < 16 * 8; n++) {
		some_packet(&p, n);
		for (u32 len = 0; len < p.len; len++) {
			enum ftun_stat want = len < p.len - p.pad ?
					      FTUN_STAT_pass_header : FTUN_OK;

			assert_int_equal(check_bytes(p.bytes, len, LINEAR), want);
			assert_int_equal(check_bytes(p.bytes, len, 0), want);
		}
	}
}

/* The same with lengths and checksums that fit what is left of the outer packet. */
static void every_inner_truncation(void **state)
{
	struct packet p;

	for (int n = 0; n < 16 * 8; n++) {
		some_packet(&p, n | 2);
		for (u32 len = 20; len < p.len - p.pad; len++) {
			struct packet cut = p;

			put16(cut.bytes + 2, len);
			twin_fix_ip(cut.bytes);
			assert_int_equal(check_bytes(cut.bytes, len, 0),
					 FTUN_STAT_pass_header);
			assert_int_equal(check_bytes(cut.bytes, p.len, 0),
					 FTUN_STAT_pass_header);
		}
	}
}

/* The inner packet says itself that it is that short. */
static void every_inner_length(void **state)
{
	struct packet p;

	for (int n = 0; n < 16 * 4; n++) {
		some_packet(&p, n);
		for (u32 len = 0; len < 0x10000; len += len < 200 ? 1 : 977) {
			struct packet other = p;

			put16(other.bytes + p.inner + 2, len);
			twin_fix_ip(other.bytes + p.inner);
			check_bytes(other.bytes, p.len, 0);
		}
	}
}

static u32 header_bytes(const struct packet *p)
{
	return p->inner + 20 + (p->proto == IPPROTO_UDP ? 8 : 20);
}

static void flip_and_check(const struct packet *p, u32 at, u8 flip)
{
	struct packet other = *p;

	other.bytes[at] ^= flip;
	check_bytes(other.bytes, p->len, 0);
	if (at < 20)
		twin_fix_ip(other.bytes);
	else if (at < p->inner + 20)
		twin_fix_ip(other.bytes + p->inner);
	check_bytes(other.bytes, p->len, rnd() % (p->len + 1));
}

/* Every value of every byte of every header, with the header's checksum wrong and
 * made right again.
 */
static void every_header_byte(void **state)
{
	struct packet p;

	for (int n = 0; n < 16; n++) {
		some_packet(&p, n);
		for (u32 at = 0; at < header_bytes(&p); at++)
			for (int flip = 1; flip < 256; flip++)
				flip_and_check(&p, at, flip);
	}
}

/* What a change of one field alone has to lead to, the header checksum being right. */
static void named_faults(void **state)
{
	static const struct {
		u32 at;
		u8 byte;
		enum ftun_stat want;
	} faults[] = {
		{ 0, 0x65, FTUN_STAT_pass_header },	/* version 6 */
		{ 0, 0x44, FTUN_STAT_pass_header },	/* 16 byte header */
		{ 0, 0x46, FTUN_STAT_pass_options },
		{ 0, 0x4f, FTUN_STAT_pass_options },
		{ 6, 0x20, FTUN_STAT_pass_fragment },	/* more fragments */
		{ 6, 0x01, FTUN_STAT_pass_fragment },	/* offset */
		{ 7, 0x01, FTUN_STAT_pass_fragment },
		{ 6, 0x60, FTUN_STAT_pass_fragment },
		{ 2, 0xff, FTUN_STAT_pass_header },	/* total length */
		{ 6, 0x40, FTUN_OK },			/* don't fragment */
		{ 6, 0x80, FTUN_OK },			/* the evil bit */
		{ 8, 0x00, FTUN_OK },			/* TTL is not ours to judge */
		{ 1, 0xff, FTUN_OK },
	};

	for (int n = 0; n < 16; n++) {
		for (int i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
			struct packet p, q;

			some_packet(&p, n);
			p.bytes[6] = p.bytes[7] = 0;
			packet_fix(&p);
			q = p;
			q.bytes[faults[i].at] = faults[i].byte;
			twin_fix_ip(q.bytes);
			assert_int_equal(check_bytes(q.bytes, q.len, 0),
					 faults[i].want);
			if (!p.inner)
				continue;
			q = p;
			q.bytes[20 + faults[i].at] = faults[i].byte;
			twin_fix_ip(q.bytes + 20);
			assert_int_equal(check_bytes(q.bytes, q.len, 0),
					 faults[i].want);
		}
	}
}

/* Real options, with everything else right, on either header. */
static void options(void **state)
{
	struct packet p;

	for (int n = 0; n < 16 * 11; n++) {
		u32 add = 4 + n / 16 * 4, at;

		if (add > 40)
			continue;
		some_packet(&p, n);
		for (u32 ip = 0; ip <= p.inner; ip += 20) {
			struct packet q = p;

			at = ip + 20;
			memmove(q.bytes + at + add, q.bytes + at, p.len - at);
			memset(q.bytes + at, 1, add);
			q.bytes[ip] += add / 4;
			put16(q.bytes + ip + 2, get16(q.bytes + ip + 2) + add);
			put16(q.bytes + ip + 10, 0);
			put16(q.bytes + ip + 10, ~twin_fold(twin_sum(q.bytes + ip, 20 + add)));
			if (ip) {
				put16(q.bytes + 2, get16(q.bytes + 2) + add);
				twin_fix_ip(q.bytes);
			}
			assert_int_equal(check_bytes(q.bytes, p.len + add, 0),
					 FTUN_STAT_pass_options);
		}
	}
}

/* Of every wrong header checksum none is taken. 0xffff is zero's twin. */
static void every_ip_checksum(void **state)
{
	for (int n = 0; n < 4; n++) {
		struct packet p;
		u16 right;
		u32 at;

		some_packet(&p, n);
		at = p.inner + 10;
		right = get16(p.bytes + at);
		for (u32 check = 0; check < 0x10000; check++) {
			bool ok = check == right || (!right && check == 0xffff);

			put16(p.bytes + at, check);
			assert_int_equal(check_bytes(p.bytes, p.len, LINEAR),
					 ok ? FTUN_OK : FTUN_STAT_pass_ip_csum);
		}
	}
}

/* IP in IP in IP and whatever else is inside. */
static void every_protocol(void **state)
{
	for (int n = 0; n < 4; n++) {
		for (int proto = 0; proto < 256; proto++) {
			struct packet p;
			enum ftun_stat reason;

			some_packet(&p, n);
			p.bytes[p.inner + 9] = proto;
			twin_fix_ip(p.bytes + p.inner);
			reason = check_bytes(p.bytes, p.len, 0);
			if (proto != IPPROTO_TCP && proto != IPPROTO_UDP &&
			    (p.inner || proto != IPPROTO_IPIP))
				assert_int_equal(reason, FTUN_NOT_OURS);
		}
	}
}

/* A header and nothing behind it is a whole packet. */
static void every_protocol_bare(void **state)
{
	for (int n = 0; n < 4; n++) {
		for (int proto = 0; proto < 256; proto++) {
			bool ours = proto == IPPROTO_TCP ||
				    proto == IPPROTO_UDP;
			struct packet p;

			some_packet(&p, n);
			p.bytes[p.inner + 9] = proto;
			put16(p.bytes + p.inner + 2, 20);
			twin_fix_ip(p.bytes + p.inner);
			if (proto == IPPROTO_IPIP && !p.inner)
				continue;
			assert_int_equal(check_bytes(p.bytes, p.len, 0), ours ?
					 FTUN_STAT_pass_header : FTUN_NOT_OURS);
		}
	}
}

/* The outer source and everything else that names a flow is in the key. */
static void key_has_every_field(void **state)
{
	static const u32 key[] = { 12, 16, 32, 36, 40, 42 };

	for (int n = 0; n < 16; n++) {
		struct ftun_packet a, b;
		struct packet p;

		for (int i = 0; i < 6; i++) {
			struct sk_buff *skb;

			some_packet(&p, n | 2);
			skb = skb_make(p.bytes, p.len, 0);
			assert_int_equal(ftun_parse(skb, IIF, &a), FTUN_OK);
			skb_unmake(skb);
			p.bytes[key[i] + rnd() % 2] ^= 1 << rnd() % 8;
			packet_fix(&p);
			skb = skb_make(p.bytes, p.len, 0);
			assert_int_equal(ftun_parse(skb, IIF, &b), FTUN_OK);
			assert_memory_not_equal(&a.tuple, &b.tuple, sizeof(a.tuple));
			assert_int_equal(ftun_parse(skb, IIF + 1, &a), FTUN_OK);
			assert_memory_not_equal(&a.tuple, &b.tuple, sizeof(a.tuple));
			skb_unmake(skb);
		}
	}
}

static void not_ipv4(void **state)
{
	static const u16 types[] = { 0x86dd, 0x0806, 0x8100, 0, 0x0008, 0x0801 };

	for (int i = 0; i < 6; i++) {
		struct packet p;
		struct sk_buff *skb;

		some_packet(&p, i);
		skb = skb_make(p.bytes, p.len, 0);
		skb->protocol = htons(types[i]);
		assert_int_equal(check_skb(skb), FTUN_NOT_OURS);
		assert_int_equal(skb->linear, 0);
		skb_unmake(skb);
	}
}

static void irregular(void **state)
{
	for (int i = 0; i < 8; i++) {
		struct packet p;
		struct sk_buff *skb;

		some_packet(&p, i);
		skb = skb_make(p.bytes, p.len, 0);
		skb->shared = i == 0;
		skb->vlan = i == 1;
		skb->sec_path = i == 2;
		skb->dst = i == 3 ? skb : NULL;
		skb->_nfct = i == 4;
		skb->sk = i >= 5 ? skb : NULL;
		skb->prefetched = i == 5 || i == 7;
		if (i == 7)
			skb->sk = NULL;
		assert_int_equal(check_skb(skb), i < 6 ?
				 FTUN_STAT_pass_irregular : FTUN_OK);
		skb_unmake(skb);
	}
}

static void not_for_us(void **state)
{
	for (int type = 0; type < 8; type++) {
		struct packet p;
		struct sk_buff *skb;

		some_packet(&p, type);
		skb = skb_make(p.bytes, p.len, 0);
		skb->pkt_type = type;
		assert_int_equal(check_skb(skb), type == PACKET_HOST ?
				 FTUN_OK : FTUN_STAT_pass_otherhost);
		skb_unmake(skb);
	}
}

static u32 l4_check_at(const struct packet *p)
{
	return p->inner + 20 + (p->proto == IPPROTO_UDP ? 6 : 16);
}

/* What a device would have summed: everything it was given. */
static void summed_by_device(struct sk_buff *skb)
{
	skb->ip_summed = CHECKSUM_COMPLETE;
	skb->csum = htons(twin_fold(twin_sum(skb->all, skb->len)));
}

static bool l4_ok(struct sk_buff *skb)
{
	struct ftun_packet pkt;

	assert_int_equal(ftun_parse(skb, IIF, &pkt), FTUN_OK);
	assert_int_equal(ftun_parse_l4_csum_ok(skb, &pkt), twin_l4_ok(skb, &pkt));
	return ftun_parse_l4_csum_ok(skb, &pkt);
}

/* Of all values of the transport checksum: right, and UDP's zero. */
static void every_l4_checksum(void **state)
{
	for (int n = 0; n < 16; n++) {
		struct packet p;
		u16 right;

		some_packet(&p, n);
		right = get16(p.bytes + l4_check_at(&p));
		for (u32 i = 0; i < 0x10000; i += 1 + rnd() % 32) {
			u16 check = rnd() % 4 ? i : right;
			bool ok = check == right ||
				  (!check && p.proto == IPPROTO_UDP) ||
				  (check == 0xffff && !right);
			struct sk_buff *skb;

			put16(p.bytes + l4_check_at(&p), check);
			skb = skb_make(p.bytes, p.len, rnd() % p.len);
			assert_int_equal(l4_ok(skb), ok);
			summed_by_device(skb);
			assert_int_equal(l4_ok(skb), ok);
			skb->ip_summed = CHECKSUM_UNNECESSARY;
			assert_true(l4_ok(skb));
			skb->ip_summed = CHECKSUM_PARTIAL;
			assert_true(l4_ok(skb));
			skb_unmake(skb);
		}
	}
}

/* A packet that was damaged anywhere behind its IP header, padding excepted. */
static void every_l4_bit(void **state)
{
	for (int n = 0; n < 16; n++) {
		struct packet p;

		some_packet(&p, n);
		for (u32 at = p.inner + 20; at < p.len; at++) {
			struct packet q = p;
			struct sk_buff *skb;
			struct ftun_packet pkt;
			bool padding = at >= p.len - p.pad;

			q.bytes[at] ^= 1 << rnd() % 8;
			if (p.proto == IPPROTO_UDP &&
			    !get16(q.bytes + l4_check_at(&p)))
				continue;
			skb = skb_make(q.bytes, p.len, 0);
			if (ftun_parse(skb, IIF, &pkt) == FTUN_OK) {
				assert_int_equal(l4_ok(skb), padding);
				summed_by_device(skb);
				assert_int_equal(l4_ok(skb), padding);
			}
			skb_unmake(skb);
		}
	}
}

static void large_packets(void **state)
{
	u8 *bytes = malloc(0x10000 + 100);

	for (int n = 0; n < 64; n++) {
		u32 len = 0xffff - (n < 32 ? n : rnd() % 3000), inner = n & 2 ? 20 : 0;
		u8 *ip = bytes + inner;
		struct packet p;
		struct sk_buff *skb;

		some_packet(&p, n & ~8);
		rnd_bytes(bytes, 0x10000 + 100);
		memcpy(bytes, p.bytes, p.len);
		put16(ip + 2, len - inner);
		put16(ip + 24, n & 1 ? get16(ip + 24) : len - inner - 20);
		twin_fix_l4(ip, len - inner);
		twin_fix_ip(ip);
		if (inner) {
			put16(bytes + 2, len);
			twin_fix_ip(bytes);
		}
		skb = skb_make(bytes, len + rnd() % 100, 0);
		assert_int_equal(check_skb(skb), FTUN_OK);
		assert_true(l4_ok(skb));
		summed_by_device(skb);
		assert_true(l4_ok(skb));
		skb_unmake(skb);
	}
	free(bytes);
}

/* Several faults at once: both say the same about which of them counts. */
static void random_damage(void **state)
{
	for (int n = 0; n < 300000; n++) {
		struct packet p;
		struct sk_buff *skb;
		int faults = 1 + rnd() % 4;

		some_packet(&p, n);
		while (faults--)
			p.bytes[rnd() % header_bytes(&p)] = rnd16();
		if (rnd() % 4 && p.inner)
			twin_fix_ip(p.bytes);
		if (rnd() % 4)
			twin_fix_ip(p.bytes + p.inner);
		skb = skb_make(p.bytes, rnd() % 8 ? p.len : rnd() % p.len,
			       rnd() % p.len);
		skb->ip_summed = rnd() % 4;
		if (skb->ip_summed == CHECKSUM_COMPLETE && rnd() % 2)
			summed_by_device(skb);
		skb->pkt_type = rnd() % 16 ? PACKET_HOST : rnd() % 8;
		check_skb(skb);
		skb_unmake(skb);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_packets),
		cmocka_unit_test(every_split),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(every_inner_truncation),
		cmocka_unit_test(every_inner_length),
		cmocka_unit_test(every_header_byte),
		cmocka_unit_test(named_faults),
		cmocka_unit_test(options),
		cmocka_unit_test(every_ip_checksum),
		cmocka_unit_test(every_protocol),
		cmocka_unit_test(every_protocol_bare),
		cmocka_unit_test(key_has_every_field),
		cmocka_unit_test(not_ipv4),
		cmocka_unit_test(irregular),
		cmocka_unit_test(not_for_us),
		cmocka_unit_test(every_l4_checksum),
		cmocka_unit_test(every_l4_bit),
		cmocka_unit_test(large_packets),
		cmocka_unit_test(random_damage),
	};

	rnd_init();
	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}

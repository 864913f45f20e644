// SPDX-License-Identifier: GPL-2.0
/* src/parse.c against its twin. skb.c and ASan see every byte that is read without
 * having been pulled, and every pointer that is kept over a pull.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "check.h"
#include "random.h"

static void valid_packets(void **state)
{
	struct packet p;

	for (int n = 0; n < 20 * PACKET_KINDS; n++) {
		packet_some(&p, n);
		assert_int_equal(check(&p, LINEAR), FTUN_OK);
	}
}

/* However little of the packet is in the linear part at first. */
static void every_split(void **state)
{
	struct packet p;

	for (int n = 0; n < PACKET_KINDS; n++) {
		packet_some(&p, n);
		for (u32 linear = 0; linear <= p.len; linear++)
			assert_int_equal(check(&p, linear), FTUN_OK);
	}
}

/* No memory for what is not in the linear part: the slow path may have more luck. */
static void every_split_without_memory(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		u32 headers;

		packet_some(&p, n);
		headers = p.l4 + (p.proto == P_UDP ? 8 : 20 + p.l4opts);
		for (u32 linear = 0; linear <= p.len; linear++) {
			struct sk_buff *skb = packet_skb(&p, linear);
			enum ftun_stat reason;
			struct ftun_packet pkt;

			skb->no_room = true;
			reason = ftun_parse(skb, IIF, &p.fou, &pkt);
			if (linear < headers)
				assert_int_equal(reason, FTUN_STAT_pass_header);
			if (linear == p.len)
				assert_int_equal(reason, FTUN_OK);
			assert_int_equal(skb->linear, linear);
			skb_unmake(skb);
		}
	}
}

/* Cut anywhere, it is no packet any more, unless what is lost is padding. */
static void every_truncation(void **state)
{
	struct packet p;

	for (int n = 0; n < PACKET_KINDS; n++) {
		packet_some(&p, n);
		for (u32 len = 0; len < p.len; len++) {
			enum ftun_stat want = len < p.len - p.pad ?
					      FTUN_STAT_pass_header : FTUN_OK;

			assert_int_equal(check_cut(&p, len, LINEAR), want);
			assert_int_equal(check_cut(&p, len, 0), want);
		}
	}
}

/* The same with lengths and checksums that fit what is left of the outer packet. */
static void every_inner_truncation(void **state)
{
	struct packet p;

	for (int n = 0; n < PACKET_KINDS; n++) {
		packet_some(&p, n);
		if (!p.tunnel)
			continue;
		for (u32 len = twin_hlen(p.outer6); len < p.len - p.pad; len++) {
			struct packet cut = p;

			packet_put_len(&cut, len);
			assert_int_equal(check_cut(&cut, len, 0),
					 FTUN_STAT_pass_header);
			assert_int_equal(check(&cut, 0), FTUN_STAT_pass_header);
		}
	}
}

/* The inner packet says itself that it is that short. */
static void every_inner_length(void **state)
{
	struct packet p;

	for (int n = 0; n < PACKET_KINDS; n++) {
		packet_some(&p, n);
		for (u32 len = 0; len < 0x10000; len += len < 200 ? 1 : 977) {
			struct packet other = p;

			twin_put_ip_len(other.bytes + p.inner, p.inner6, len);
			twin_fix_ip(other.bytes + p.inner, p.inner6);
			check(&other, 0);
		}
	}
}

static u32 header_bytes(const struct packet *p)
{
	return p->l4 + (p->proto == P_UDP ? 8 : 20);
}

static void fix_headers(struct packet *p)
{
	twin_fix_ip(p->bytes + p->inner, p->inner6);
	if (p->tunnel)
		twin_fix_ip(p->bytes, p->outer6);
}

/* Every value of every byte of every header, with the header's checksum wrong and
 * made right again.
 */
static void every_header_byte(void **state)
{
	struct packet p;

	for (int n = 0; n < PACKET_SHAPES; n++) {
		packet_some(&p, n + rnd() % 8 * PACKET_SHAPES);
		for (u32 at = 0; at < header_bytes(&p); at++) {
			for (int flip = 1; flip < 256; flip++) {
				struct packet other = p;

				other.bytes[at] ^= flip;
				check(&other, 0);
				fix_headers(&other);
				check(&other, rnd() % (p.len + 1));
			}
		}
	}
}

/* What a change of one field alone has to lead to, the header checksum being right. */
struct fault {
	u32 at;
	u8 byte;
	enum ftun_stat want;
};

static const struct fault faults4[] = {
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

static const struct fault faults6[] = {
	{ 0, 0x45, FTUN_STAT_pass_header },	/* version 4 */
	{ 0, 0x70, FTUN_STAT_pass_header },
	{ 0, 0x6f, FTUN_OK },			/* traffic class */
	{ 1, 0xff, FTUN_OK },			/* and flow label */
	{ 4, 0xff, FTUN_STAT_pass_header },	/* payload length */
	{ 6, P_FRAGMENT, FTUN_STAT_pass_fragment },
	{ 6, 59, FTUN_NOT_OURS },		/* no next header */
	{ 6, 50, FTUN_NOT_OURS },		/* ESP */
	{ 6, 51, FTUN_NOT_OURS },		/* AH */
	{ 6, 58, FTUN_NOT_OURS },		/* ICMPv6 */
	{ 7, 0x00, FTUN_OK },			/* hop limit */
	{ 8, 0xff, FTUN_OK },			/* addresses are the flow's */
	{ 24, 0xff, FTUN_OK },
};

static void check_faults(const struct packet *p, u32 ip, bool v6)
{
	const struct fault *fault = v6 ? faults6 : faults4;

	for (u32 i = 0; i < (v6 ? COUNT(faults6) : COUNT(faults4)); i++) {
		struct packet q = *p;

		q.bytes[ip + fault[i].at] = fault[i].byte;
		twin_fix_ip(q.bytes + ip, v6);
		assert_int_equal(check(&q, 0), fault[i].want);
	}
}

static void named_faults(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;

		packet_some(&p, n);
		if (!p.inner6)
			put16(p.bytes + p.inner + 6, 0);
		if (p.tunnel && !p.outer6)
			put16(p.bytes + 6, 0);
		packet_fix(&p);
		check_faults(&p, p.inner, p.inner6);
		if (p.tunnel)
			check_faults(&p, 0, p.outer6);
	}
}

/* Room for more behind the header at @ip; the lengths say so, UDP's too. */
static void grow(struct packet *p, u32 ip, u32 add)
{
	bool v6 = ip == p->inner ? p->inner6 : p->outer6;
	u32 at = ip + twin_hlen(v6);

	memmove(p->bytes + at + add, p->bytes + at, p->len - at);
	p->len += add;
	twin_put_ip_len(p->bytes + ip, v6, twin_ip_len(p->bytes + ip, v6) + add);
	if (ip)
		packet_put_len(p, twin_ip_len(p->bytes, p->outer6) + add);
}

static void check_options(struct packet p, u32 ip, u32 add)
{
	u8 *to = p.bytes + ip;

	grow(&p, ip, add);
	memset(to + 20, 1, add);
	to[0] += add / 4;
	put16(to + 10, 0);
	put16(to + 10, ~twin_fold(twin_sum(to, 20 + add)));
	assert_int_equal(check(&p, 0), FTUN_STAT_pass_options);
}

/* Real options of IPv4, with everything else right, on either header. */
static void options(void **state)
{
	struct packet p;

	for (u32 add = 4; add <= 40; add += 4) {
		for (int n = 0; n < PACKET_SHAPES; n++) {
			packet_some(&p, n);
			if (!p.inner6)
				check_options(p, p.inner, add);
			if (p.tunnel && !p.outer6)
				check_options(p, 0, add);
		}
	}
}

static void check_extension(struct packet p, u32 ip, u8 type, u32 len,
			    enum ftun_stat want)
{
	u8 *to = p.bytes + ip;
	u8 next = to[6];

	grow(&p, ip, len);
	to[6] = type;
	memset(to + 40, 0, len);
	to[40] = next;
	to[41] = len / 8 - 1;
	if (type != P_FRAGMENT) {
		to[42] = 1;		/* PadN, or what a routing header is */
		to[43] = len - 4;
	}
	assert_int_equal(check(&p, 0), want);
	assert_int_equal(check_cut(&p, ip + 40, 0),
			 ip || want != FTUN_NOT_OURS ? FTUN_STAT_pass_header : want);
}

/* Real extension headers of IPv6, likewise. Of those that come first, hop-by-hop
 * options and routing headers are for others: nothing forwarded has them.
 */
static void extensions(void **state)
{
	static const struct {
		u8 type;
		enum ftun_stat first, inner;
	} known[] = {
		{ P_FRAGMENT, FTUN_STAT_pass_fragment, FTUN_STAT_pass_fragment },
		{ P_DSTOPTS, FTUN_STAT_pass_options, FTUN_STAT_pass_options },
		{ P_HOPOPTS, FTUN_NOT_OURS, FTUN_STAT_pass_options },
		{ P_ROUTING, FTUN_NOT_OURS, FTUN_STAT_pass_options },
	};
	struct packet p;

	for (int n = 0; n < PACKET_KINDS; n++) {
		for (u32 i = 0; i < COUNT(known); i++) {
			u32 len = known[i].type == P_FRAGMENT ? 8 : 8 + rnd() % 4 * 8;

			packet_some(&p, n);
			if (packet_first6(&p))
				check_extension(p, 0, known[i].type, len,
						known[i].first);
			if (p.tunnel && p.inner6)
				check_extension(p, p.inner, known[i].type, len,
						known[i].inner);
		}
	}
}

/* The one option that a tunnel's header may have, and nothing like it. */
static void every_limit(void **state)
{
	static const u8 known[] = { P_IPV4, P_IPV6, P_GRE, P_TCP, P_UDP };

	for (int n = 0; n < PACKET_SHAPES; n++) {
		struct packet p, q;

		packet_some(&p, n);
		if (!p.limit)
			continue;
		for (u32 at = 41; at < 48; at++) {
			for (int byte = 0; byte < 256; byte++) {
				bool same = byte == p.bytes[at];

				q = p;
				q.bytes[at] = byte;
				assert_int_equal(check(&q, 0),
						 at == 44 || same ? FTUN_OK :
						 FTUN_STAT_pass_options);
			}
		}
		for (int next = 0; next < 256; next++) {
			q = p;
			q.bytes[40] = next;
			assert_int_equal(check(&q, 0) == FTUN_NOT_OURS,
					 !memchr(known, next, sizeof(known)));
		}
	}
}

/* It makes no plain packet of what is in a tunnel: UDP behind it is told from UDP
 * without it, and TCP behind it is nothing that Linux sends.
 */
static void limit_without_tunnel(void **state)
{
	for (int n = 1; n < PACKET_KINDS; n += PACKET_SHAPES) {
		struct ftun_packet with, without;
		struct packet p;

		packet_some(&p, n);
		without = parsed(&p, IIF);
		grow(&p, 0, 8);
		memcpy(p.bytes + 40, "\0\0\4\1\4\1\1\0", 8);
		p.bytes[40] = p.proto;
		p.bytes[6] = P_DSTOPTS;
		assert_int_equal(check(&p, 0), p.proto == P_UDP ? FTUN_OK :
				 FTUN_STAT_pass_options);
		if (p.proto == P_TCP)
			continue;
		with = parsed(&p, IIF);
		assert_false(tuple_equal(&with.tuple, &without.tuple));
		assert_int_equal(with.tuple.encap, FTUN_ENCAP_NONE);
		assert_int_equal(with.tuple.words, without.tuple.words);
	}
}

/* Of every wrong header checksum none is taken. 0xffff is zero's twin. */
static void check_every_checksum(struct packet p, u32 at)
{
	u16 right = get16(p.bytes + at);

	for (u32 sum = 0; sum < 0x10000; sum++) {
		bool ok = sum == right || (!right && sum == 0xffff);

		put16(p.bytes + at, sum);
		assert_int_equal(check(&p, LINEAR),
				 ok ? FTUN_OK : FTUN_STAT_pass_ip_csum);
	}
}

static void every_ip_checksum(void **state)
{
	static const int kinds[] = { 0, 2, 18, 22, PACKET_SHAPES, 3 };
	struct packet p;

	for (u32 i = 0; i < COUNT(kinds); i++) {
		packet_some(&p, kinds[i]);
		if (!p.inner6)
			check_every_checksum(p, p.inner + 10);
		if (p.tunnel && !p.outer6)
			check_every_checksum(p, 10);
	}
}

static bool is_transport(u8 proto)
{
	return proto == P_TCP || proto == P_UDP;
}

/* What the innermost header's protocol says alone; FTUN_OK if more has to be known. */
static enum ftun_stat by_protocol(const struct packet *p, u8 proto)
{
	bool first = !p->tunnel;

	if (is_transport(proto))
		return FTUN_OK;
	if (first && (proto == P_IPV4 || proto == P_IPV6 || proto == P_GRE))
		return FTUN_OK;
	if (!p->inner6)
		return FTUN_NOT_OURS;
	if (proto == P_FRAGMENT)
		return FTUN_STAT_pass_fragment;
	if (proto == P_DSTOPTS)
		return first ? FTUN_OK : FTUN_STAT_pass_options;
	if (!first && (proto == P_HOPOPTS || proto == P_ROUTING))
		return FTUN_STAT_pass_options;
	return FTUN_NOT_OURS;
}

/* IP in IP in IP and whatever else is inside. */
static void every_protocol(void **state)
{
	for (int n = 0; n < 2 * PACKET_SHAPES; n++) {
		for (int proto = 0; proto < 256; proto++) {
			enum ftun_stat reason;
			struct packet p;

			packet_some(&p, n);
			p.bytes[p.inner + twin_proto_at(p.inner6)] = proto;
			twin_fix_ip(p.bytes + p.inner, p.inner6);
			reason = check(&p, 0);
			if (by_protocol(&p, proto) != FTUN_OK)
				assert_int_equal(reason, by_protocol(&p, proto));
		}
	}
}

/* A header and nothing behind it is a whole packet. */
static void every_protocol_bare(void **state)
{
	for (int n = 0; n < 2 * PACKET_SHAPES; n++) {
		for (int proto = 0; proto < 256; proto++) {
			enum ftun_stat want;
			struct packet p;

			packet_some(&p, n);
			p.bytes[p.inner + twin_proto_at(p.inner6)] = proto;
			twin_put_ip_len(p.bytes + p.inner, p.inner6,
					twin_hlen(p.inner6));
			twin_fix_ip(p.bytes + p.inner, p.inner6);
			want = by_protocol(&p, proto);
			assert_int_equal(check(&p, 0), want == FTUN_OK ?
					 FTUN_STAT_pass_header : want);
		}
	}
}

/* The outer header's protocol, directly and behind the encapsulation limit. What is
 * inside says itself of which version it is.
 */
static void every_outer_protocol(void **state)
{
	for (int n = 2; n < PACKET_SHAPES; n++) {
		for (int proto = 0; proto < 256; proto++) {
			struct packet p;
			bool wrong_version;

			packet_some(&p, n);
			p.bytes[p.limit ? 40 : twin_proto_at(p.outer6)] = proto;
			twin_fix_ip(p.bytes, p.outer6);
			wrong_version = !p.greh && !p.udp &&
					proto == (p.inner6 ? P_IPV4 : P_IPV6);
			if (wrong_version)
				assert_int_equal(check(&p, 0), FTUN_STAT_pass_header);
			else
				check(&p, 0);
		}
	}
}

/* Whatever is not of RFC 2784 and RFC 2890, and what they say and is not there. */
static void every_gre_flag(void **state)
{
	for (int n = 4; n < PACKET_SHAPES; n++) {
		struct packet p;

		packet_some(&p, n);
		if (!p.greh)
			continue;
		for (u32 flags = 0; flags < 0x10000; flags += 1 + rnd() % 16) {
			struct packet q = p;
			enum ftun_stat reason;

			put16(q.bytes + p.gre, flags);
			reason = check(&q, LINEAR);
			if (flags & ~0xb000)
				assert_int_equal(reason, FTUN_STAT_pass_encap);
			else
				assert_int_not_equal(reason, FTUN_STAT_pass_encap);
		}
	}
}

static void every_gre_protocol(void **state)
{
	for (int n = 4; n < PACKET_SHAPES; n++) {
		struct packet p;

		packet_some(&p, n);
		if (!p.greh)
			continue;
		for (u32 proto = 0; proto < 0x10000; proto += 1 + rnd() % 16) {
			struct packet q = p;
			u32 other = p.inner6 ? 0x0800 : 0x86dd;

			put16(q.bytes + p.gre + 2, proto);
			assert_int_equal(check(&q, LINEAR),
					 get16(p.bytes + p.gre + 2) == proto ? FTUN_OK :
					 proto == other ? FTUN_STAT_pass_header :
							  FTUN_NOT_OURS);
		}
	}
}

/* What the frame's type says and what the packet says have to be the same. */
static void wrong_version(void **state)
{
	for (int n = 0; n < PACKET_KINDS; n++) {
		struct packet p;
		struct sk_buff *skb;

		packet_some(&p, n);
		p.bytes[packet_first6(&p) ? 9 : 6] = P_TCP;
		skb = packet_skb(&p, 0);
		skb->protocol = packet_first6(&p) ? htons(0x0800) : htons(0x86dd);
		assert_int_equal(check_skb(skb, &p.fou), FTUN_STAT_pass_header);
		skb_unmake(skb);
	}
}

static void irregular(void **state)
{
	for (int n = 0; n < 8 * PACKET_SHAPES; n++) {
		struct packet p;
		struct sk_buff *skb;
		int i = n % 8;

		packet_some(&p, n / 8);
		skb = packet_skb(&p, 0);
		skb->shared = i == 0;
		skb->vlan = i == 1;
		skb->sec_path = i == 2;
		skb->_skb_refdst = i == 3;
		skb->_nfct = i == 4;
		skb->sk = i >= 5 ? skb : NULL;
		skb->prefetched = i == 5 || i == 7;
		if (i == 7)
			skb->sk = NULL;
		assert_int_equal(check_skb(skb, &p.fou), i < 6 ?
				 FTUN_STAT_pass_irregular : FTUN_OK);
		skb_unmake(skb);
	}
}

static void not_for_us(void **state)
{
	for (int n = 0; n < 8 * PACKET_SHAPES; n++) {
		int type = n % 8;
		struct packet p;
		struct sk_buff *skb;

		packet_some(&p, n / 8);
		skb = packet_skb(&p, 0);
		skb->pkt_type = type;
		assert_int_equal(check_skb(skb, &p.fou), type == PACKET_HOST ?
				 FTUN_OK : FTUN_STAT_pass_otherhost);
		skb_unmake(skb);
	}
}

static void damage(struct packet *p)
{
	int faults = 1 + rnd() % 4;

	while (faults--)
		p->bytes[rnd() % header_bytes(p)] = rnd16();
	if (rnd() % 4)
		twin_fix_ip(p->bytes, packet_first6(p));
	if (rnd() % 4)
		twin_fix_ip(p->bytes + p->inner, p->inner6);
	p->len = rnd() % 8 ? p->len : rnd() % p->len;
}

/* Several faults at once: both say the same about which of them counts. */
static void random_damage(void **state)
{
	for (int n = 0; n < 300000; n++) {
		struct packet p;
		struct sk_buff *skb;

		packet_some(&p, n);
		damage(&p);
		skb = packet_skb(&p, rnd() % 128);
		skb->ip_summed = rnd() % 4;
		skb->csum_level = rnd() % 4;
		skb->csum_valid = rnd() % 2;
		skb->csum_at = (int)(rnd() % 140) - 20;
		if (skb->ip_summed == CHECKSUM_COMPLETE && rnd() % 2)
			skb->csum = htons(twin_fold(twin_sum(skb->all, skb->len)));
		skb->pkt_type = rnd() % 16 ? PACKET_HOST : rnd() % 8;
		check_skb(skb, &p.fou);
		skb_unmake(skb);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_packets),
		cmocka_unit_test(every_split),
		cmocka_unit_test(every_split_without_memory),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(every_inner_truncation),
		cmocka_unit_test(every_inner_length),
		cmocka_unit_test(every_header_byte),
		cmocka_unit_test(named_faults),
		cmocka_unit_test(options),
		cmocka_unit_test(extensions),
		cmocka_unit_test(every_limit),
		cmocka_unit_test(limit_without_tunnel),
		cmocka_unit_test(every_ip_checksum),
		cmocka_unit_test(every_protocol),
		cmocka_unit_test(every_protocol_bare),
		cmocka_unit_test(every_outer_protocol),
		cmocka_unit_test(every_gre_flag),
		cmocka_unit_test(every_gre_protocol),
		cmocka_unit_test(wrong_version),
		cmocka_unit_test(irregular),
		cmocka_unit_test(not_for_us),
		cmocka_unit_test(random_damage),
	};

	rnd_init();
	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}

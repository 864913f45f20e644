// SPDX-License-Identifier: GPL-2.0
/* UDP around tunnels: src/fou.c, and what src/parse.c makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check.h"
#include "random.h"

/* Without a place that it is for it is a plain packet of another flow. */
static void fou_elsewhere(void **state)
{
	for (int n = 2; n < PACKET_KINDS; n++) {
		struct ftun_packet pkt;
		struct ftun_fou_port *port;
		struct packet p, q;

		packet_some(&p, n);
		if (!p.udp)
			continue;
		for (int i = 0; i < 6; i++) {
			q = p;
			port = &q.fou.port[0];
			q.fou.count = i != 0;
			port->dport ^= i == 1 ? htons(1 << rnd() % 16) : 0;
			port->daddr[0] ^= i == 2 ? htonl(1u << rnd() % 32) : 0;
			port->daddr[3] ^= i == 3 && p.outer6 ? 1 : 0;
			port->v6 ^= i == 4;
			assert_int_equal(check(&q, 0), FTUN_OK);
			pkt = parsed(&q, IIF);
			if (i == 5 || (i == 3 && !p.outer6))
				assert_int_equal(pkt.inner, p.inner);
			else
				assert_int_equal(pkt.inner, 0);
		}
	}
}

/* Any of them can be the right one. */
static void fou_every_place(void **state)
{
	for (int n = 2; n < PACKET_SHAPES; n++) {
		struct packet p;

		packet_some(&p, n);
		if (!p.udp)
			continue;
		for (int at = 0; at < FTUN_FOU_PORTS; at++) {
			struct packet q = p;

			rnd_bytes((u8 *)&q.fou.port, sizeof(q.fou.port));
			for (int i = 0; i < FTUN_FOU_PORTS; i++)
				q.fou.port[i].v6 &= 1;
			q.fou.port[at] = p.fou.port[0];
			q.fou.count = FTUN_FOU_PORTS;
			assert_int_equal(check(&q, 0), FTUN_OK);
			assert_int_equal(parsed(&q, IIF).inner, p.inner);
			q.fou.count = at;
			assert_int_equal(parsed(&q, IIF).inner, 0);
		}
	}
}

/* Whatever the place is said to be for. */
static void fou_every_protocol(void **state)
{
	for (int n = 2; n < PACKET_SHAPES; n++) {
		for (int proto = 0; proto < 256; proto++) {
			enum ftun_stat reason;
			struct packet p;

			packet_some(&p, n);
			if (!p.udp)
				continue;
			if (p.gue)
				p.bytes[p.udph + 9] = proto;
			else
				p.fou.port[0].proto = proto;
			reason = check(&p, 0);
			if (p.gue || proto)
				assert_int_equal(reason == FTUN_NOT_OURS,
						 proto != P_IPV4 && proto != P_IPV6 &&
						 proto != P_GRE);
		}
	}
}

/* Version, control bit, options, flags: what Linux does not send is not handled. */
static void gue_every_field(void **state)
{
	for (int n = 2; n < PACKET_SHAPES; n++) {
		for (int flip = 1; flip < 256; flip++) {
			struct packet p, q;

			packet_some(&p, n);
			if (!p.gue)
				continue;
			for (u32 at = 8; at < 12; at++) {
				q = p;
				q.bytes[p.udph + at] ^= flip;
				if (at != 9)
					assert_int_equal(check(&q, 0),
							 FTUN_STAT_pass_encap);
			}
		}
	}
}

/* UDP's length is that of the packet that it is in. */
static void fou_every_length(void **state)
{
	for (int n = 2; n < PACKET_SHAPES; n++) {
		struct packet p, q;

		packet_some(&p, n);
		if (!p.udp)
			continue;
		for (u32 len = 0; len < 0x10000; len += len < 400 ? 1 : 101) {
			bool same = len == get16(p.bytes + p.udph + 4);

			q = p;
			put16(q.bytes + q.udph + 4, len);
			assert_int_equal(check(&q, 0), same ? FTUN_OK :
					 FTUN_STAT_pass_header);
		}
	}
}

/* The 4 bytes behind UDP, as tunnels put them there, and then as they do not. */
static void fou_guess(void **state)
{
	for (int n = 2; n < PACKET_KINDS; n++) {
		struct ftun_fou_port port = { 0 };
		struct packet p;

		packet_some(&p, n);
		if (!p.udp)
			continue;
		assert_true(ftun_fou_guess(&port, p.bytes + p.udph + 8));
		assert_int_equal(port.proto, p.fou.port[0].proto);
	}
	for (u32 i = 0; i < 0x1000000; i += 1 + rnd() % 64) {
		struct ftun_fou_port port = { .proto = 0xa5 };
		u8 bytes[4] = { i >> 16, rnd(), i >> 8, i };
		u16 type = i;
		bool v4 = bytes[0] >> 4 == 4, v6 = bytes[0] >> 4 == 6;
		bool gre = type == 0x0800 || type == 0x86dd;
		bool gue = !bytes[0] && !type;

		assert_int_equal(ftun_fou_guess(&port, bytes), v4 || v6 || gre || gue);
		if (v4 || v6 || gre || gue)
			assert_int_equal(port.proto, v4 ? P_IPV4 : v6 ? P_IPV6 :
					 gre ? P_GRE : 0);
	}
}

/* A place is there once, and no more of them than there is room for. */
static void fou_places(void **state)
{
	struct ftun_fou fou = { 0 };
	struct ftun_fou_port port[2 * FTUN_FOU_PORTS];

	memset(port, 0, sizeof(port));
	for (u32 i = 0; i < COUNT(port); i++) {
		port[i].daddr[0] = htonl(i / 4);
		port[i].dport = htons(5555 + i % 4 / 2);
		port[i].v6 = i % 2;
		port[i].proto = i;
		for (int twice = 0; twice < 2; twice++) {
			ftun_fou_add(&fou, &port[i]);
			assert_int_equal(fou.lock.held, 0);
			assert_int_equal(fou.count, i < FTUN_FOU_PORTS ? i + 1 :
					 FTUN_FOU_PORTS);
		}
	}
	for (u32 i = 0; i < COUNT(port); i++) {
		const struct ftun_fou_port *found;

		found = ftun_fou_find(&fou, port[i].daddr, port[i].v6, port[i].dport);
		assert_ptr_equal(found, i < FTUN_FOU_PORTS ? &fou.port[i] : NULL);
		if (found)
			assert_int_equal(found->proto, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fou_elsewhere),
		cmocka_unit_test(fou_every_place),
		cmocka_unit_test(fou_every_protocol),
		cmocka_unit_test(gue_every_field),
		cmocka_unit_test(fou_every_length),
		cmocka_unit_test(fou_guess),
		cmocka_unit_test(fou_places),
	};

	rnd_init();
	return cmocka_run_group_tests_name("fou", tests, NULL, NULL);
}

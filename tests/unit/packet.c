// SPDX-License-Identifier: GPL-2.0
#include "packet.h"

#include "random.h"

static void fill_ip(u8 *ip, bool v6, u32 len, u8 proto)
{
	u32 ttl = twin_ttl_at(v6);

	if (v6) {
		ip[0] = 0x60 | (ip[0] & 0x0f);
	} else {
		ip[0] = 0x45;
		put16(ip + 6, get16(ip + 6) & 0xc000);
	}
	twin_put_ip_len(ip, v6, len);
	ip[ttl] = ip[ttl] < 2 ? 64 : ip[ttl];
	ip[twin_proto_at(v6)] = proto;
}

static void fill_limit(u8 *opt, u8 proto)
{
	opt[0] = proto;
	memcpy(opt + 1, "\0\4\1", 3);
	memcpy(opt + 5, "\1\1\0", 3);
}

static void fill_gre(u8 *gre, const struct packet *p)
{
	gre[0] = p->bits;
	gre[1] = 0;
	put16(gre + 2, p->inner6 ? 0x86dd : 0x0800);
}

static void fill_l4(u8 *l4, const struct packet *p)
{
	if (p->proto == P_UDP)
		put16(l4 + 4, 8 + p->data);
	else
		l4[12] = (5 + p->l4opts / 4) << 4 | (l4[12] & 15);
}

static u32 gre_hlen(u8 bits)
{
	return 4 + 4 * !!(bits & GRE_C) + 4 * !!(bits & GRE_K) +
	       4 * !!(bits & GRE_S);
}

/* Which header is where. */
static void place(struct packet *p)
{
	u32 at = 0;

	p->udph = 0;
	p->gre = 0;
	if (p->tunnel)
		at = twin_hlen(p->outer6) + (p->limit ? 8 : 0);
	if (p->udp) {
		p->udph = at;
		at += p->gue ? 12 : 8;
	}
	if (p->greh) {
		p->gre = at;
		at += gre_hlen(p->bits);
	}
	p->inner = at;
	p->l4 = at + twin_hlen(p->inner6);
}

/* And it is known that others are taken out of it. */
static void fill_udp(struct packet *p, u32 len, u8 proto)
{
	u8 *udp = p->bytes + p->udph;
	struct ftun_fou_port *port = &p->fou.port[0];
	u32 addr = twin_addr_len(p->outer6);

	put16(udp + 4, len - p->udph);
	if (p->gue) {
		put32(udp + 8, 0);
		udp[9] = proto;
	}
	memset(&p->fou, 0, sizeof(p->fou));
	memcpy(port->daddr, p->bytes + twin_addr_at(p->outer6) + addr, addr);
	memcpy(&port->dport, udp + 2, 2);
	port->v6 = p->outer6;
	port->proto = p->gue ? 0 : proto;
	p->fou.count = 1;
}

static void fill_outer(struct packet *p, u32 len)
{
	u8 proto = p->greh ? P_GRE : p->inner6 ? P_IPV6 : P_IPV4;

	if (p->greh)
		fill_gre(p->bytes + p->gre, p);
	if (p->udp) {
		fill_udp(p, len, proto);
		proto = P_UDP;
	}
	if (p->limit) {
		fill_limit(p->bytes + 40, proto);
		proto = P_DSTOPTS;
	}
	fill_ip(p->bytes, p->outer6, len, proto);
}

bool packet_first6(const struct packet *p)
{
	return p->tunnel ? p->outer6 : p->inner6;
}

/* The sums outside the inner packet, from the inside out. */
void packet_fix_outer(const struct packet *p, u8 *bytes)
{
	u32 len = twin_ip_len(bytes, packet_first6(p));

	if (p->greh)
		twin_fix_gre(bytes + p->gre, len - p->gre);
	if (p->udp && p->summed)
		twin_fix_udp(bytes, p->outer6, p->udph);
	else if (p->udp)
		put16(bytes + p->udph + 6, 0);
	if (p->tunnel)
		twin_fix_ip(bytes, p->outer6);
}

/* Every checksum right. The lengths have to be. */
void packet_fix(struct packet *p)
{
	u8 *ip = p->bytes + p->inner;

	twin_fix_l4(ip, p->inner6);
	twin_fix_ip(ip, p->inner6);
	packet_fix_outer(p, p->bytes);
}

/* The first header says this is the length, and UDP behind it. */
void packet_put_len(struct packet *p, u32 len)
{
	twin_put_ip_len(p->bytes, packet_first6(p), len);
	if (p->udp && len >= p->udph + 8)
		put16(p->bytes + p->udph + 4, len - p->udph);
	twin_fix_ip(p->bytes, packet_first6(p));
}

/* Fields without rules keep what is in them. */
void packet_fill(struct packet *p)
{
	u32 len;
	u8 *ip;

	if (p->proto == P_UDP)
		p->l4opts = 0;
	place(p);
	ip = p->bytes + p->inner;
	len = twin_hlen(p->inner6) + (p->proto == P_UDP ? 8 : 20) + p->l4opts +
	      p->data;
	fill_ip(ip, p->inner6, len, p->proto);
	fill_l4(p->bytes + p->l4, p);
	if (p->tunnel)
		fill_outer(p, p->inner + len);
	p->len = p->inner + len + p->pad;
	packet_fix(p);
}

/* C, K, S by the bits of a number. */
static void shape_gre(struct packet *p, u32 n)
{
	p->greh = true;
	p->bits = (n & 1 ? GRE_C : 0) | (n & 2 ? GRE_K : 0) | (n & 4 ? GRE_S : 0);
}

/* IPv4, IPv6, IPv6 with an encapsulation limit. */
static void shape_outer(struct packet *p, u32 n)
{
	p->tunnel = true;
	p->outer6 = n;
	p->limit = n == 2;
}

/* Nothing, GRE with nothing, C, CKS; in four kinds of UDP; behind three outer headers. */
static void shape_udp(struct packet *p, u32 n)
{
	static const u8 gre[] = { 0, 0, 1, 7 };

	shape_outer(p, n / 16);
	p->udp = true;
	p->summed = n & 1;
	p->gue = n & 2;
	if (n / 4 % 4)
		shape_gre(p, gre[n / 4 % 4]);
}

/* 2 plain ones, and two inner packets in 27 wrappings: three outer headers with
 * nothing or one of eight GRE headers behind them; then 48 with UDP.
 */
void packet_shape(struct packet *p, u32 n)
{
	u32 wrapping;

	n %= PACKET_SHAPES;
	p->tunnel = p->outer6 = p->limit = p->udp = p->summed = p->gue = p->greh = false;
	p->bits = 0;
	p->fou.count = 0;
	p->inner6 = n & 1;
	if (n < 2)
		return;
	wrapping = n / 2 - 1;
	if (wrapping >= 27) {
		shape_udp(p, wrapping - 27);
		return;
	}
	shape_outer(p, wrapping / 9);
	if (wrapping % 9)
		shape_gre(p, wrapping % 9 - 1);
}

/* All kinds in turn. */
void packet_some(struct packet *p, u32 n)
{
	u32 variant = n / PACKET_SHAPES;

	memset(p, 0, sizeof(*p));
	packet_shape(p, n);
	p->proto = variant & 1 ? P_TCP : P_UDP;
	p->l4opts = variant & 2 ? 12 : 0;
	p->pad = variant & 4 ? 1 + rnd() % 30 : 0;
	p->data = rnd() % 40;
	rnd_bytes(p->bytes, 256);
	packet_fill(p);
}

struct sk_buff *packet_skb(const struct packet *p, u32 linear)
{
	struct sk_buff *skb = skb_make(p->bytes, p->len, linear);

	skb->protocol = packet_first6(p) ? htons(0x86dd) : htons(0x0800);
	return skb;
}

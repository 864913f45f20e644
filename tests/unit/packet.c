// SPDX-License-Identifier: GPL-2.0
#include "packet.h"

#include <netinet/in.h>

static void fill_ip(u8 *ip, u32 len, u8 proto)
{
	ip[0] = 0x45;
	put16(ip + 2, len);
	put16(ip + 6, get16(ip + 6) & 0xc000);
	ip[8] = ip[8] < 2 ? 64 : ip[8];
	ip[9] = proto;
}

static void fill_l4(u8 *l4, const struct packet *p)
{
	if (p->proto == IPPROTO_UDP)
		put16(l4 + 4, 8 + p->data);
	else
		l4[12] = (5 + p->l4opts / 4) << 4 | (l4[12] & 15);
}

/* Every checksum right. The lengths have to be. */
void packet_fix(struct packet *p)
{
	u8 *ip = p->bytes + p->inner;

	twin_fix_l4(ip, get16(ip + 2));
	twin_fix_ip(ip);
	if (p->inner)
		twin_fix_ip(p->bytes);
}

/* Fields without rules keep what is in them. */
void packet_fill(struct packet *p)
{
	u8 *ip = p->bytes + p->inner;
	u32 len;

	if (p->proto == IPPROTO_UDP)
		p->l4opts = 0;
	len = 20 + (p->proto == IPPROTO_UDP ? 8 : 20) + p->l4opts + p->data;
	fill_ip(ip, len, p->proto);
	fill_l4(ip + 20, p);
	if (p->inner)
		fill_ip(p->bytes, len + 20, IPPROTO_IPIP);
	p->len = p->inner + len + p->pad;
	packet_fix(p);
}

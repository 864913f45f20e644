// SPDX-License-Identifier: GPL-2.0
#include "twin.h"

#include <netinet/in.h>

u16 get16(const u8 *byte)
{
	return byte[0] << 8 | byte[1];
}

u32 get32(const u8 *byte)
{
	return (u32)get16(byte) << 16 | get16(byte + 2);
}

void put16(u8 *byte, u16 value)
{
	byte[0] = value >> 8;
	byte[1] = value;
}

void put32(u8 *byte, u32 value)
{
	put16(byte, value >> 16);
	put16(byte + 2, value);
}

/* RFC 1071, in host order: 65535 bytes cannot make 32 bits overflow. */
u32 twin_sum(const u8 *byte, u32 len)
{
	u32 sum = 0, i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? byte[i] : byte[i] << 8;
	return sum;
}

u16 twin_fold(u32 sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* ---- parsing -------------------------------------------------------------- */

/* RFC 1812 section 5.2.2, and what the module leaves to the slow path. */
static enum ftun_stat check_ip(const u8 *ip, u32 room)
{
	if (room < 20)
		return FTUN_STAT_pass_header;
	if (ip[0] >> 4 != 4 || (ip[0] & 15) < 5)
		return FTUN_STAT_pass_header;
	if ((ip[0] & 15) != 5)
		return FTUN_STAT_pass_options;
	if (get16(ip + 6) & 0x3fff)
		return FTUN_STAT_pass_fragment;
	if (twin_fold(twin_sum(ip, 20)) != 0xffff)
		return FTUN_STAT_pass_ip_csum;
	if (get16(ip + 2) < 20 || get16(ip + 2) > room)
		return FTUN_STAT_pass_header;
	return FTUN_OK;
}

static enum ftun_stat check_l4(u8 proto, const u8 *l4, u32 room,
			       struct ftun_packet *pkt)
{
	u32 hlen = proto == IPPROTO_UDP ? 8 : 20;

	if (room < hlen)
		return FTUN_STAT_pass_header;
	pkt->tcp_flags = 0;
	if (proto == IPPROTO_UDP) {
		if (get16(l4 + 4) < 8 || get16(l4 + 4) > room)
			return FTUN_STAT_pass_header;
	} else {
		hlen = (l4[12] >> 4) * 4;
		if (hlen < 20 || hlen > room)
			return FTUN_STAT_pass_header;
		pkt->tcp_flags = l4[13];
	}
	pkt->l4_hlen = hlen;
	return FTUN_OK;
}

static enum ftun_stat check_inner(const u8 *ip, u32 room,
				  struct ftun_packet *pkt)
{
	enum ftun_stat reason = check_ip(ip, room);

	if (reason != FTUN_OK)
		return reason;
	if (ip[9] != IPPROTO_TCP && ip[9] != IPPROTO_UDP)
		return FTUN_NOT_OURS;
	pkt->inner_len = get16(ip + 2);
	reason = check_l4(ip[9], ip + 20, pkt->inner_len - 20, pkt);
	if (reason != FTUN_OK)
		return reason;
	pkt->tos = ip[1];
	pkt->tuple.l4proto = ip[9];
	pkt->tuple.saddr = htonl(get32(ip + 12));
	pkt->tuple.daddr = htonl(get32(ip + 16));
	pkt->tuple.sport = htons(get16(ip + 20));
	pkt->tuple.dport = htons(get16(ip + 22));
	return FTUN_OK;
}

static enum ftun_stat check_outer(const u8 *ip, u32 room,
				  struct ftun_packet *pkt)
{
	enum ftun_stat reason = check_ip(ip, room);

	if (reason != FTUN_OK)
		return reason;
	pkt->inner = 20;
	pkt->outer_len = get16(ip + 2);
	pkt->outer_tos = ip[1];
	pkt->tuple.encap = FTUN_ENCAP_IPIP;
	pkt->tuple.outer_saddr = htonl(get32(ip + 12));
	pkt->tuple.outer_daddr = htonl(get32(ip + 16));
	return check_inner(ip + 20, pkt->outer_len - 20, pkt);
}

enum ftun_stat twin_parse(const struct sk_buff *skb, u32 iif,
			  struct ftun_packet *pkt)
{
	const u8 *ip = skb->all;
	enum ftun_stat reason;

	memset(pkt, 0, sizeof(*pkt));
	pkt->tuple.iif = iif;
	pkt->len = skb->len;
	if (skb->protocol != htons(0x0800))
		return FTUN_NOT_OURS;
	if (skb->shared || skb->vlan || skb->sec_path || skb->dst ||
	    skb->_nfct || (skb->sk && skb->prefetched))
		return FTUN_STAT_pass_irregular;
	if (skb->len < 20)
		return FTUN_STAT_pass_header;
	if (ip[9] != IPPROTO_IPIP && ip[9] != IPPROTO_TCP &&
	    ip[9] != IPPROTO_UDP)
		return FTUN_NOT_OURS;
	if (skb->pkt_type != PACKET_HOST)
		return FTUN_STAT_pass_otherhost;
	if (ip[9] == IPPROTO_IPIP)
		return check_outer(ip, skb->len, pkt);
	reason = check_inner(ip, skb->len, pkt);
	pkt->outer_len = pkt->inner_len;
	return reason;
}

/* A device that summed everything has to be right about it; bytes behind the inner
 * packet make its sum useless.
 */
bool twin_l4_ok(const struct sk_buff *skb, const struct ftun_packet *pkt)
{
	const u8 *ip = skb->all + pkt->inner;
	bool udp_without = ip[9] == IPPROTO_UDP && !get16(ip + 26);
	u16 device = twin_fold((u16)~twin_fold(ntohs(twin_fold(skb->csum))) +
			       twin_sum(skb->all, skb->len));

	if (skb->ip_summed == CHECKSUM_UNNECESSARY ||
	    skb->ip_summed == CHECKSUM_PARTIAL || udp_without)
		return true;
	if (skb->ip_summed == CHECKSUM_COMPLETE &&
	    (u32)pkt->inner + pkt->inner_len == skb->len && device != 0xffff)
		return false;
	return twin_fold(twin_l4_sum(ip, pkt->inner_len)) == 0xffff;
}

/* ---- ECN ------------------------------------------------------------------ */

/* RFC 6040 section 4.2, figure 4. DROP also where the slow path would write to the log. */
int twin_ecn_decap(u8 outer, u8 inner)
{
	static const int table[4][4] = {
		/* outer:	Not-ECT		ECT(1)	ECT(0)	CE */
		[NOT_ECT] = {	NOT_ECT,	DROP,	DROP,	DROP },
		[ECT_1] = {	ECT_1,		ECT_1,	ECT_1,	CE },
		[ECT_0] = {	ECT_0,		ECT_1,	ECT_0,	CE },
		[CE] = {	CE,		CE,	CE,	CE },
	};

	return table[inner & 3][outer & 3];
}

/* RFC 3168 section 9.1.1, full functionality: what Linux does on the way in. */
u8 twin_ecn_encap(u8 inner)
{
	static const u8 table[4] = {
		[NOT_ECT] = NOT_ECT, [ECT_1] = ECT_1, [ECT_0] = ECT_0, [CE] = ECT_0,
	};

	return table[inner & 3];
}

/* ---- rewriting ------------------------------------------------------------ */

/* Pseudo header, header and data of an IP packet of @len bytes. */
u32 twin_l4_sum(const u8 *ip, u32 len)
{
	return twin_sum(ip + 12, 8) + ip[9] + (len - 20) +
	       twin_sum(ip + 20, len - 20);
}

static u8 *l4_check(u8 *ip)
{
	return ip + 20 + (ip[9] == IPPROTO_UDP ? 6 : 16);
}

void twin_fix_ip(u8 *ip)
{
	put16(ip + 10, 0);
	put16(ip + 10, ~twin_fold(twin_sum(ip, 20)));
}

/* A UDP checksum that comes out as zero is sent as its complement, RFC 768. */
void twin_fix_l4(u8 *ip, u32 len)
{
	u8 *check = l4_check(ip);
	u16 sum;

	put16(check, 0);
	sum = ~twin_fold(twin_l4_sum(ip, len));
	put16(check, !sum && ip[9] == IPPROTO_UDP ? 0xffff : sum);
}

/* What a device that is to fill in the checksum finds in its place. */
void twin_fix_l4_partial(u8 *ip, u32 len)
{
	put16(l4_check(ip), twin_fold(twin_sum(ip + 12, 8) + ip[9] + len - 20));
}

struct ftun_nat twin_nat_init(const struct twin_nat *nat, const u8 *ip)
{
	struct ftun_nat real = {
		.saddr = htonl(nat->saddr), .daddr = htonl(nat->daddr),
		.sport = htons(nat->sport), .dport = htons(nat->dport),
	};
	__be16 ports[2];
	struct iphdr iph;

	memcpy(&iph, ip, sizeof(iph));
	memcpy(ports, ip + 20, sizeof(ports));
	ftun_nat_init(&real, &iph, ports);
	return real;
}

void twin_nat_fields(u8 *ip, const struct twin_nat *nat)
{
	put32(ip + 12, nat->saddr);
	put32(ip + 16, nat->daddr);
	put16(ip + 20, nat->sport);
	put16(ip + 22, nat->dport);
}

/* RFC 1624 equation 3: HC' = ~(~HC + ~m + m'). Of the two zeros it never makes 0xffff,
 * whatever was there before: Linux's sums are 32 bits wide and not zero to begin with.
 */
static void step(u8 *check, u16 from, u16 to)
{
	u32 sum = (u16)~get16(check) + (u16)~from + to;

	put16(check, ~twin_fold(0xffff + sum));
}

static void step32(u8 *check, u32 from, u32 to)
{
	step(check, from >> 16, to >> 16);
	step(check, from, to);
}

static void step32_partial(u8 *check, u32 from, u32 to)
{
	put16(check, twin_fold(get16(check) + (u16)~(from >> 16) + (to >> 16) +
			       (u16)~from + (to & 0xffff)));
}

static void nat_l4_steps(u8 *ip, const struct twin_nat *nat, bool partial)
{
	u8 *check = l4_check(ip);

	if (ip[9] == IPPROTO_UDP && !get16(check) && !partial)
		return;
	if (partial) {
		step32_partial(check, get32(ip + 12), nat->saddr);
		step32_partial(check, get32(ip + 16), nat->daddr);
	} else {
		step32(check, get32(ip + 12), nat->saddr);
		step32(check, get32(ip + 16), nat->daddr);
		step(check, get16(ip + 20), nat->sport);
		step(check, get16(ip + 22), nat->dport);
	}
	if (ip[9] == IPPROTO_UDP && !get16(check))
		put16(check, 0xffff);
}

/* One address or port after the other, as the slow path does it: also says what
 * becomes of a checksum that was wrong before.
 */
void twin_nat_steps(u8 *ip, const struct twin_nat *nat, bool partial)
{
	nat_l4_steps(ip, nat, partial);
	step32(ip + 10, get32(ip + 12), nat->saddr);
	step32(ip + 10, get32(ip + 16), nat->daddr);
	twin_nat_fields(ip, nat);
}

/* RFC 1141: the checksum grows by what the TTL loses. */
void twin_ttl(u8 *ip)
{
	u16 check = twin_fold(get16(ip + 10) + 0x0100);

	put16(ip + 10, check == 0xffff ? 0 : check);
	ip[8]--;
}

void twin_outer(u8 *out, const u8 *template, u8 rules, const u8 *inner, u16 len,
		u16 id)
{
	u8 tos = rules & FTUN_OUTER_TOS_INHERIT ? inner[1] : template[1];

	memcpy(out, template, 20);
	out[1] = (tos & 0xfc) | twin_ecn_encap(inner[1]);
	put16(out + 2, len);
	put16(out + 4, id);
	if (rules & FTUN_OUTER_DF_INHERIT)
		out[6] |= inner[6] & 0x40;
	if (rules & FTUN_OUTER_TTL_INHERIT)
		out[8] = inner[8];
	twin_fix_ip(out);
}

// SPDX-License-Identifier: GPL-2.0
#include "twin.h"

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

/* ---- RFC 791 section 3.1, RFC 8200 section 3 ------------------------------- */

u32 twin_hlen(bool v6)
{
	return v6 ? 40 : 20;
}

u32 twin_ip_len(const u8 *ip, bool v6)
{
	return v6 ? 40 + get16(ip + 4) : get16(ip + 2);
}

u32 twin_proto_at(bool v6)
{
	return v6 ? 6 : 9;
}

u32 twin_ttl_at(bool v6)
{
	return v6 ? 7 : 8;
}

u32 twin_addr_at(bool v6)
{
	return v6 ? 8 : 12;
}

u32 twin_addr_len(bool v6)
{
	return v6 ? 16 : 4;
}

u8 twin_tos(const u8 *ip, bool v6)
{
	return v6 ? (ip[0] & 0x0f) << 4 | ip[1] >> 4 : ip[1];
}

void twin_put_tos(u8 *ip, bool v6, u8 tos)
{
	if (v6) {
		ip[0] = (ip[0] & 0xf0) | tos >> 4;
		ip[1] = (ip[1] & 0x0f) | (tos & 0x0f) << 4;
	} else {
		ip[1] = tos;
	}
}

void twin_put_ip_len(u8 *ip, bool v6, u32 len)
{
	if (v6)
		put16(ip + 4, len - 40);
	else
		put16(ip + 2, len);
}

/* ---- parsing -------------------------------------------------------------- */

/* RFC 1812 section 5.2.2, and what the module leaves to the slow path. */
static enum ftun_stat check_ip4(const u8 *ip, u32 room)
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

static enum ftun_stat check_ip(const u8 *ip, bool v6, u32 room)
{
	if (!v6)
		return check_ip4(ip, room);
	if (room < 40 || ip[0] >> 4 != 6 || twin_ip_len(ip, true) > room ||
	    twin_ip_len(ip, true) > 65535)
		return FTUN_STAT_pass_header;
	return FTUN_OK;
}

static enum ftun_stat check_l4(u8 proto, const u8 *l4, u32 room,
			       struct ftun_packet *pkt)
{
	u32 hlen = proto == P_UDP ? 8 : 20;

	if (room < hlen)
		return FTUN_STAT_pass_header;
	pkt->tcp_flags = 0;
	if (proto == P_UDP) {
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

/* The next bytes of the tuple. */
static void key(struct ftun_packet *pkt, const u8 *byte, u32 len)
{
	memcpy((u8 *)&pkt->tuple + 4 * pkt->tuple.words, byte, len);
	pkt->tuple.words += len / 4;
}

/* TCP or UDP at @l4, in the packet that has its header at @at. */
static enum ftun_stat check_ports(const u8 *all, u32 at, bool v6, u32 l4,
				  u8 proto, struct ftun_packet *pkt)
{
	const u8 *ip = all + at;
	enum ftun_stat reason;

	pkt->inner = at;
	pkt->l4 = l4;
	pkt->inner_len = twin_ip_len(ip, v6);
	pkt->tos = twin_tos(ip, v6);
	pkt->ttl = ip[twin_ttl_at(v6)];
	if (v6)
		pkt->tuple.shape |= FTUN_SHAPE_INNER6;
	pkt->tuple.l4proto = proto;
	reason = check_l4(proto, all + l4, at + pkt->inner_len - l4, pkt);
	if (reason != FTUN_OK)
		return reason;
	memcpy(&pkt->tuple.sport, all + l4, 2);
	memcpy(&pkt->tuple.dport, all + l4 + 2, 2);
	key(pkt, ip + twin_addr_at(v6), 2 * twin_addr_len(v6));
	return FTUN_OK;
}

/* The packet inside, @at bytes from the beginning. */
static enum ftun_stat check_inner(const u8 *all, u32 at, bool v6, u32 room,
				  struct ftun_packet *pkt)
{
	enum ftun_stat reason = check_ip(all + at, v6, room);
	u8 proto;

	if (reason != FTUN_OK)
		return reason;
	proto = all[at + twin_proto_at(v6)];
	if (v6 && proto == P_FRAGMENT)
		return FTUN_STAT_pass_fragment;
	if (v6 && (proto == P_HOPOPTS || proto == P_ROUTING || proto == P_DSTOPTS))
		return FTUN_STAT_pass_options;
	if (proto != P_TCP && proto != P_UDP)
		return FTUN_NOT_OURS;
	return check_ports(all, at, v6, at + twin_hlen(v6), proto, pkt);
}

/* RFC 2473 section 4.1.1: one option of one byte, and padding. */
static enum ftun_stat check_limit(const u8 *opt, u32 room)
{
	if (room < 8)
		return FTUN_STAT_pass_header;
	if (memcmp(opt + 1, "\0\4\1", 3) || memcmp(opt + 5, "\1\1\0", 3))
		return FTUN_STAT_pass_options;
	return FTUN_OK;
}

/* RFC 2784 and RFC 2890: C and reserved bits, K, S, in this order if at all. */
static enum ftun_stat check_gre(const u8 *gre, u32 room, u32 *hlen,
				struct ftun_packet *pkt)
{
	const u8 *field = gre + 4;

	if (room < 4)
		return FTUN_STAT_pass_header;
	if (gre[0] & (u8)~(GRE_C | GRE_K | GRE_S) || gre[1])
		return FTUN_STAT_pass_encap;
	if (get16(gre + 2) != 0x0800 && get16(gre + 2) != 0x86dd)
		return FTUN_NOT_OURS;
	pkt->tuple.encap = FTUN_ENCAP_GRE;
	if (gre[0] & GRE_C) {
		pkt->tuple.shape |= FTUN_SHAPE_GRE_CSUM;
		field += 4;
	}
	if (gre[0] & GRE_K) {
		pkt->tuple.shape |= FTUN_SHAPE_GRE_KEY;
		field += 4;
	}
	if (gre[0] & GRE_S) {
		pkt->tuple.shape |= FTUN_SHAPE_GRE_SEQ;
		field += 4;
	}
	*hlen = field - gre;
	if (room < *hlen)
		return FTUN_STAT_pass_header;
	if (gre[0] & GRE_S)
		pkt->gre_seq = get32(field - 4);
	return FTUN_OK;
}

/* UDP, which says how long it is, and GUE without anything that is optional. What is
 * inside is what the place is for, or what GUE says.
 */
static enum ftun_stat check_fou(const u8 *udp, u32 room, u8 *proto, u32 *hlen,
				struct ftun_packet *pkt)
{
	bool gue = !*proto;

	*hlen = gue ? 12 : 8;
	if (room < *hlen || get16(udp + 4) != room)
		return FTUN_STAT_pass_header;
	pkt->tuple.shape |= FTUN_SHAPE_UDP;
	if (get16(udp + 6))
		pkt->tuple.shape |= FTUN_SHAPE_UDP_CSUM;
	if (!gue)
		return FTUN_OK;
	if (udp[8] || udp[10] || udp[11])
		return FTUN_STAT_pass_encap;
	pkt->tuple.shape |= FTUN_SHAPE_GUE;
	*proto = udp[9];
	return FTUN_OK;
}

/* Is a packet with this header, and UDP @at bytes behind its beginning, for one of
 * the places that are known? The first of them counts.
 */
static const struct ftun_fou_port *place_of(const u8 *ip, bool v6, u32 at,
					    const struct ftun_fou *fou)
{
	const u8 *daddr = ip + twin_addr_at(v6) + twin_addr_len(v6);

	if (twin_ip_len(ip, v6) < at + 8)
		return NULL;
	for (u32 i = 0; i < fou->count; i++) {
		const struct ftun_fou_port *port = &fou->port[i];

		if (!!port->v6 == v6 &&
		    !memcmp(port->daddr, daddr, twin_addr_len(v6)) &&
		    !memcmp(&port->dport, ip + at + 2, 2))
			return port;
	}
	return NULL;
}

/* The outer addresses, the GRE key and the UDP ports come behind the inner addresses. */
static void outer_key(const u8 *ip, bool v6, struct ftun_packet *pkt)
{
	const u8 *gre = ip + pkt->gre;

	key(pkt, ip + twin_addr_at(v6), 2 * twin_addr_len(v6));
	if (pkt->gre && gre[0] & GRE_K)
		key(pkt, gre + (gre[0] & GRE_C ? 8 : 4), 4);
	if (pkt->udp)
		key(pkt, ip + pkt->udp, 4);
}

/* What begins @at bytes from the beginning of an outer packet of @len bytes. */
static enum ftun_stat check_tunnel(const u8 *ip, bool v6, u32 at, u8 proto,
				   const struct ftun_fou_port *port,
				   struct ftun_packet *pkt)
{
	u32 len = twin_ip_len(ip, v6), hlen;
	enum ftun_stat reason;

	pkt->outer_tos = twin_tos(ip, v6);
	pkt->tuple.encap = FTUN_ENCAP_IP;
	if (v6)
		pkt->tuple.shape |= FTUN_SHAPE_OUTER6;
	if (port) {
		proto = port->proto;
		reason = check_fou(ip + at, len - at, &proto, &hlen, pkt);
		if (reason != FTUN_OK)
			return reason;
		pkt->udp = at;
		at += hlen;
	}
	if (proto == P_GRE) {
		reason = check_gre(ip + at, len - at, &hlen, pkt);
		if (reason != FTUN_OK)
			return reason;
		proto = get16(ip + at + 2) == 0x0800 ? P_IPV4 : P_IPV6;
		pkt->gre = at;
		at += hlen;
	}
	if (proto != P_IPV4 && proto != P_IPV6)
		return FTUN_NOT_OURS;
	reason = check_inner(ip, at, proto == P_IPV6, len - at, pkt);
	if (reason == FTUN_OK)
		outer_key(ip, v6, pkt);
	return reason;
}

/* UDP behind an encapsulation limit comes from some tunnel, if not from one to a
 * place that is known.
 */
static enum ftun_stat check_plain(const u8 *ip, bool v6, u32 at, u8 proto,
				  struct ftun_packet *pkt)
{
	if (at != twin_hlen(v6)) {
		if (proto != P_UDP)
			return FTUN_STAT_pass_options;
		pkt->tuple.shape |= FTUN_SHAPE_UDP;
	}
	return check_ports(ip, 0, v6, at, proto, pkt);
}

static enum ftun_stat check_first(const u8 *ip, bool v6, u32 room,
				  const struct ftun_fou *fou,
				  struct ftun_packet *pkt)
{
	enum ftun_stat reason = check_ip(ip, v6, room);
	const struct ftun_fou_port *port = NULL;
	u8 proto = ip[twin_proto_at(v6)];
	u32 at = twin_hlen(v6);

	if (reason != FTUN_OK)
		return reason;
	if (v6 && proto == P_FRAGMENT)
		return FTUN_STAT_pass_fragment;
	if (v6 && proto == P_DSTOPTS) {
		reason = check_limit(ip + at, twin_ip_len(ip, v6) - at);
		if (reason != FTUN_OK)
			return reason;
		proto = ip[at];
		at += 8;
	}
	if (proto == P_UDP)
		port = place_of(ip, v6, at, fou);
	if (!port && (proto == P_TCP || proto == P_UDP))
		return check_plain(ip, v6, at, proto, pkt);
	return check_tunnel(ip, v6, at, proto, port, pkt);
}

/* Everything else passes by without a closer look. */
static bool worth_it(u8 proto, bool v6)
{
	static const u8 either[] = { P_TCP, P_UDP, P_IPV4, P_IPV6, P_GRE };

	return memchr(either, proto, sizeof(either)) ||
	       (v6 && (proto == P_DSTOPTS || proto == P_FRAGMENT));
}

static bool taken(const struct sk_buff *skb)
{
	return skb->shared || skb->vlan || skb->sec_path || skb->_skb_refdst ||
	       skb->_nfct || (skb->sk && skb->prefetched);
}

enum ftun_stat twin_parse(const struct sk_buff *skb, u32 iif,
			  const struct ftun_fou *fou, struct ftun_packet *pkt)
{
	bool v6 = skb->protocol == htons(0x86dd);
	const u8 *ip = skb->all;
	enum ftun_stat reason;
	u8 proto;

	memset(pkt, 0, sizeof(*pkt));
	pkt->tuple.iif = iif;
	pkt->tuple.words = 2;
	if (skb->len < twin_hlen(v6))
		return FTUN_STAT_pass_header;
	proto = ip[twin_proto_at(v6)];
	if (!worth_it(proto, v6))
		return FTUN_NOT_OURS;
	if (taken(skb))
		return FTUN_STAT_pass_irregular;
	if (skb->pkt_type != PACKET_HOST)
		return FTUN_STAT_pass_otherhost;
	reason = check_first(ip, v6, skb->len, fou, pkt);
	pkt->outer_len = twin_ip_len(ip, v6);
	pkt->tuple.words += pkt->tuple.words % 2;
	return reason;
}

/* Which field is not as it should be? NULL if there is none. What a packet does not
 * have need not be filled in.
 */
const char *twin_differs(const struct ftun_packet *got,
			 const struct ftun_packet *want)
{
	if (got->tuple.iif != want->tuple.iif)
		return "tuple.iif";
	if (got->tuple.words != want->tuple.words)
		return "tuple.words";
	if (memcmp(&got->tuple, &want->tuple, 4 * want->tuple.words))
		return "tuple";
	if (got->inner != want->inner)
		return "inner";
	if (got->l4 != want->l4)
		return "l4";
	if (got->udp != want->udp)
		return "udp";
	if (got->gre != want->gre)
		return "gre";
	if (got->outer_len != want->outer_len)
		return "outer_len";
	if (got->inner_len != want->inner_len)
		return "inner_len";
	if (got->l4_hlen != want->l4_hlen)
		return "l4_hlen";
	if (got->tos != want->tos)
		return "tos";
	if (got->ttl != want->ttl)
		return "ttl";
	if (got->outer_tos != want->outer_tos)
		return "outer_tos";
	if (got->tcp_flags != want->tcp_flags)
		return "tcp_flags";
	if (want->tuple.shape & FTUN_SHAPE_GRE_SEQ &&
	    got->gre_seq != want->gre_seq)
		return "gre_seq";
	return NULL;
}

/* ---- checksums ------------------------------------------------------------ */

static u32 pseudo_sum(const u8 *ip, bool v6, u8 proto, u32 len)
{
	return twin_sum(ip + twin_addr_at(v6), 2 * twin_addr_len(v6)) + proto +
	       (len >> 16) + (len & 0xffff);
}

/* What is left of the device's sum over everything, without the first @at bytes: of
 * the two zeros the one that a sum of anything can come to.
 */
static u32 device_sum(const struct sk_buff *skb, u32 at)
{
	return 0xffff + ntohs(twin_fold(skb->csum)) +
	       (u16)~twin_fold(twin_sum(skb->all, at));
}

/* Bytes behind the packet make a device's sum useless, else it has to be right. */
static u32 sum_of(const struct sk_buff *skb, u32 at, u32 len)
{
	if (skb->ip_summed == CHECKSUM_COMPLETE && at + len == skb->len)
		return device_sum(skb, at);
	return twin_sum(skb->all + at, len);
}

/* A device that vouches for checksums begins with the outermost. UDP's counts even
 * if there is none.
 */
bool twin_l4_ok(const struct sk_buff *skb, const struct ftun_packet *pkt)
{
	const u8 *ip = skb->all + pkt->inner;
	u8 proto = pkt->tuple.l4proto;
	bool v6 = ip[0] >> 4 == 6;
	u32 len = pkt->inner + twin_ip_len(ip, v6) - pkt->l4;
	u32 before = pkt->gre && skb->all[pkt->gre] & GRE_C;

	if (pkt->udp)
		before++;
	if (skb->ip_summed == CHECKSUM_UNNECESSARY && skb->csum_level >= before)
		return true;
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb->csum_at >= pkt->inner)
		return true;
	if (proto == P_UDP && !get16(skb->all + pkt->l4 + 6))
		return true;
	return twin_fold(pseudo_sum(ip, v6, proto, len) +
			 sum_of(skb, pkt->l4, len)) == 0xffff;
}

bool twin_udp_ok(const struct sk_buff *skb, const struct ftun_packet *pkt)
{
	bool v6 = skb->all[0] >> 4 == 6;
	u32 len = twin_ip_len(skb->all, v6) - pkt->udp;

	if (skb->ip_summed == CHECKSUM_UNNECESSARY)
		return true;
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb->csum_at >= pkt->udp)
		return true;
	return twin_fold(pseudo_sum(skb->all, v6, P_UDP, len) +
			 sum_of(skb, pkt->udp, len)) == 0xffff;
}

bool twin_gre_ok(const struct sk_buff *skb, const struct ftun_packet *pkt)
{
	u32 len = twin_ip_len(skb->all, skb->all[0] >> 4 == 6) - pkt->gre;

	if (skb->ip_summed == CHECKSUM_UNNECESSARY &&
	    skb->csum_level >= (pkt->udp ? 1 : 0))
		return true;
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb->csum_at >= pkt->gre)
		return true;
	return twin_fold(sum_of(skb, pkt->gre, len)) == 0xffff;
}

u32 twin_l4_check_at(const u8 *ip, bool v6)
{
	return twin_hlen(v6) + (ip[twin_proto_at(v6)] == P_UDP ? 6 : 16);
}

/* IPv6 has none. */
void twin_fix_ip(u8 *ip, bool v6)
{
	if (v6)
		return;
	put16(ip + 10, 0);
	put16(ip + 10, ~twin_fold(twin_sum(ip, 20)));
}

/* Header and all that follows, @len bytes. */
void twin_fix_gre(u8 *gre, u32 len)
{
	if (!(gre[0] & GRE_C))
		return;
	put16(gre + 4, 0);
	put16(gre + 4, ~twin_fold(twin_sum(gre, len)));
}

/* A UDP checksum that comes out as zero is sent as its complement, RFC 768. */
static void fix_l4(u8 *ip, bool v6, u32 at, u8 proto)
{
	u8 *check = ip + at + (proto == P_UDP ? 6 : 16);
	u32 len = twin_ip_len(ip, v6) - at;
	u16 sum;

	put16(check, 0);
	sum = ~twin_fold(pseudo_sum(ip, v6, proto, len) + twin_sum(ip + at, len));
	put16(check, !sum && proto == P_UDP ? 0xffff : sum);
}

void twin_fix_l4(u8 *ip, bool v6)
{
	fix_l4(ip, v6, twin_hlen(v6), ip[twin_proto_at(v6)]);
}

/* UDP outside, @at bytes from the beginning. */
void twin_fix_udp(u8 *ip, bool v6, u32 at)
{
	fix_l4(ip, v6, at, P_UDP);
}

/* What a device that is to fill in the checksum finds in its place. */
void twin_fix_l4_partial(u8 *ip, bool v6)
{
	u32 len = twin_ip_len(ip, v6) - twin_hlen(v6);

	put16(ip + twin_l4_check_at(ip, v6),
	      twin_fold(pseudo_sum(ip, v6, ip[twin_proto_at(v6)], len)));
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

/* @ip is a packet whose addresses and ports are the ones to be replaced. */
void twin_nat_init(union real_nat *real, const struct twin_nat *nat, const u8 *ip,
		   bool v6)
{
	u32 copy[11];

	memset(real, 0, sizeof(*real));
	memcpy(ftun_nat_saddr(&real->nat), nat->saddr, twin_addr_len(v6));
	memcpy(ftun_nat_daddr(&real->nat, v6), nat->daddr, twin_addr_len(v6));
	memcpy(&real->nat.sport, nat->sport, 2);
	memcpy(&real->nat.dport, nat->dport, 2);
	memcpy(copy, ip, twin_hlen(v6) + 4);
	ftun_nat_init(&real->nat, copy, v6);
}

void twin_nat_fields(u8 *ip, bool v6, const struct twin_nat *nat)
{
	u8 *addr = ip + twin_addr_at(v6), *l4 = ip + twin_hlen(v6);
	u32 len = twin_addr_len(v6);

	memcpy(addr, nat->saddr, len);
	memcpy(addr + len, nat->daddr, len);
	memcpy(l4, nat->sport, 2);
	memcpy(l4 + 2, nat->dport, 2);
}

/* RFC 1624 equation 3: HC' = ~(~HC + ~m + m'). Of the two zeros it never makes 0xffff,
 * whatever was there before: Linux's sums are 32 bits wide and not zero to begin with.
 */
static void step(u8 *check, u16 from, u16 to)
{
	u32 sum = (u16)~get16(check) + (u16)~from + to;

	put16(check, ~twin_fold(0xffff + sum));
}

/* The field is a sum that is yet to be inverted. */
static void step_partial(u8 *check, u16 from, u16 to)
{
	put16(check, twin_fold(get16(check) + (u16)~from + to));
}

static void steps(void (*one)(u8 *check, u16 from, u16 to), u8 *check,
		  const u8 *from, const u8 *to, u32 len)
{
	for (u32 i = 0; i < len; i += 2)
		one(check, get16(from + i), get16(to + i));
}

static void nat_l4_steps(u8 *ip, bool v6, const struct twin_nat *nat,
			 bool partial)
{
	u8 *addr = ip + twin_addr_at(v6), *l4 = ip + twin_hlen(v6);
	bool udp = ip[twin_proto_at(v6)] == P_UDP;
	u8 *check = ip + twin_l4_check_at(ip, v6);
	u32 len = twin_addr_len(v6);

	if (udp && !get16(check))
		return;
	steps(partial ? step_partial : step, check, addr, nat->saddr, len);
	steps(partial ? step_partial : step, check, addr + len, nat->daddr, len);
	if (!partial) {
		steps(step, check, l4, nat->sport, 2);
		steps(step, check, l4 + 2, nat->dport, 2);
	}
	if (udp && !get16(check))
		put16(check, 0xffff);
}

/* One address or port after the other, as the slow path does it: also says what
 * becomes of a checksum that was wrong before.
 */
void twin_nat_steps(u8 *ip, bool v6, const struct twin_nat *nat, bool partial)
{
	nat_l4_steps(ip, v6, nat, partial);
	if (!v6) {
		steps(step, ip + 10, ip + 12, nat->saddr, 4);
		steps(step, ip + 10, ip + 16, nat->daddr, 4);
	}
	twin_nat_fields(ip, v6, nat);
}

/* Without a change nothing is written. */
void twin_tos_step(u8 *ip, bool v6, u8 tos)
{
	u16 from = get16(ip);

	if (twin_tos(ip, v6) == tos)
		return;
	twin_put_tos(ip, v6, tos);
	if (!v6)
		step(ip + 10, from, get16(ip));
}

/* RFC 1141: the checksum grows by what the TTL loses. */
void twin_ttl(u8 *ip, bool v6)
{
	u16 check = twin_fold(get16(ip + 10) + 0x0100);

	ip[twin_ttl_at(v6)]--;
	if (!v6)
		put16(ip + 10, check == 0xffff ? 0 : check);
}

/* 20 bits of the first word. */
void twin_label(u8 *ip, u32 label)
{
	ip[1] = (ip[1] & 0xf0) | (label >> 16 & 0x0f);
	put16(ip + 2, label);
}

void twin_outer(u8 *out, const struct ftun_outer *outer, const u8 *inner,
		bool inner6, u32 len, u16 id)
{
	u8 inner_tos = twin_tos(inner, inner6);
	u32 label = inner6 ? get32(inner) & 0xfffff : 0;
	u8 tos;

	memcpy(out, outer->hdr, outer->len);
	tos = outer->rules & FTUN_OUTER_TOS_INHERIT ? inner_tos
						    : twin_tos(out, outer->v6);
	if (!(outer->rules & FTUN_OUTER_ECN_AS_IS))
		tos = (tos & 0xfc) | twin_ecn_encap(inner_tos);
	twin_put_tos(out, outer->v6, tos);
	twin_put_ip_len(out, outer->v6, len);
	if (outer->rules & FTUN_OUTER_TTL_INHERIT)
		out[twin_ttl_at(outer->v6)] = inner[twin_ttl_at(inner6)];
	if (outer->v6) {
		if (outer->rules & FTUN_OUTER_LABEL_INHERIT && label)
			twin_label(out, label);
		return;
	}
	put16(out + 4, id);
	if (outer->rules & FTUN_OUTER_DF_INHERIT && !inner6)
		out[6] |= inner[6] & 0x40;
	twin_fix_ip(out, false);
}

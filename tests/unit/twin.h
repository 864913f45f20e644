/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_TWIN_H
#define _UNIT_TWIN_H

#include "../../src/fou.h"
#include "../../src/parse.h"
#include "../../src/rewrite.h"

#include <linux/skbuff.h>

/*
 * The slow, obvious twin of src/parse.c and src/rewrite.c: bytes by their offsets in
 * the RFCs, sums from scratch, tables written out. Shares nothing with what it checks.
 */

enum { NOT_ECT, ECT_1, ECT_0, CE, DROP = -1 };

/* IP protocols and IPv6 extension headers, as IANA numbers them. */
enum {
	P_HOPOPTS = 0, P_IPV4 = 4, P_TCP = 6, P_UDP = 17, P_IPV6 = 41,
	P_ROUTING = 43, P_FRAGMENT = 44, P_GRE = 47, P_DSTOPTS = 60,
};

/* The first byte of a GRE header. */
enum { GRE_C = 0x80, GRE_K = 0x20, GRE_S = 0x10 };

u16 get16(const u8 *byte);
u32 get32(const u8 *byte);
void put16(u8 *byte, u16 value);
void put32(u8 *byte, u32 value);
u32 twin_sum(const u8 *byte, u32 len);
u16 twin_fold(u32 sum);

/* An IP header with no options: its length, and where its fields are. */
u32 twin_hlen(bool v6);
u32 twin_ip_len(const u8 *ip, bool v6);
u32 twin_proto_at(bool v6);
u32 twin_ttl_at(bool v6);
u32 twin_addr_at(bool v6);
u32 twin_addr_len(bool v6);
u8 twin_tos(const u8 *ip, bool v6);
void twin_put_tos(u8 *ip, bool v6, u8 tos);
void twin_put_ip_len(u8 *ip, bool v6, u32 len);

enum ftun_stat twin_parse(const struct sk_buff *skb, u32 iif,
			  const struct ftun_fou *fou, struct ftun_packet *pkt);
const char *twin_differs(const struct ftun_packet *got,
			 const struct ftun_packet *want);
bool twin_l4_ok(const struct sk_buff *skb, const struct ftun_packet *pkt);
bool twin_udp_ok(const struct sk_buff *skb, const struct ftun_packet *pkt);
bool twin_gre_ok(const struct sk_buff *skb, const struct ftun_packet *pkt);

int twin_ecn_decap(u8 outer, u8 inner);
u8 twin_ecn_encap(u8 inner);

u32 twin_l4_check_at(const u8 *ip, bool v6);
void twin_fix_ip(u8 *ip, bool v6);
void twin_fix_udp(u8 *ip, bool v6, u32 at);
void twin_fix_gre(u8 *gre, u32 len);
void twin_fix_l4(u8 *ip, bool v6);
void twin_fix_l4_partial(u8 *ip, bool v6);

/* What a packet's addresses and ports are to become, as in a packet. */
struct twin_nat {
	u8 saddr[16], daddr[16];
	u8 sport[2], dport[2];
};

/* With room for IPv6 addresses */
union real_nat {
	struct ftun_nat nat;
	u8 bytes[sizeof(struct ftun_nat) + FTUN_NAT_WORDS6 * 4];
};

void twin_nat_init(union real_nat *real, const struct twin_nat *nat, const u8 *ip,
		   bool v6);
void twin_nat_fields(u8 *ip, bool v6, const struct twin_nat *nat);
void twin_nat_steps(u8 *ip, bool v6, const struct twin_nat *nat, bool partial);
void twin_tos_step(u8 *ip, bool v6, u8 tos);
void twin_ttl(u8 *ip, bool v6);
void twin_label(u8 *ip, u32 label);
void twin_outer(u8 *out, const struct ftun_outer *outer, const u8 *inner,
		bool inner6, u32 len, u16 id);

#endif /* _UNIT_TWIN_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_TWIN_H
#define _UNIT_TWIN_H

#include "../../src/parse.h"
#include "../../src/rewrite.h"

#include <linux/skbuff.h>

/*
 * The slow, obvious twin of src/parse.c and src/rewrite.c: bytes by their offsets in
 * the RFCs, sums from scratch, tables written out. Shares nothing with what it checks.
 */

enum { NOT_ECT, ECT_1, ECT_0, CE, DROP = -1 };

u16 get16(const u8 *byte);
u32 get32(const u8 *byte);
void put16(u8 *byte, u16 value);
void put32(u8 *byte, u32 value);
u32 twin_sum(const u8 *byte, u32 len);
u16 twin_fold(u32 sum);

enum ftun_stat twin_parse(const struct sk_buff *skb, u32 iif,
			  struct ftun_packet *pkt);
bool twin_l4_ok(const struct sk_buff *skb, const struct ftun_packet *pkt);

int twin_ecn_decap(u8 outer, u8 inner);
u8 twin_ecn_encap(u8 inner);

u32 twin_l4_sum(const u8 *ip, u32 len);
void twin_fix_ip(u8 *ip);
void twin_fix_l4(u8 *ip, u32 len);
void twin_fix_l4_partial(u8 *ip, u32 len);

/* What a packet's addresses and ports are to become, in host order. */
struct twin_nat {
	u32 saddr, daddr;
	u16 sport, dport;
};

struct ftun_nat twin_nat_init(const struct twin_nat *nat, const u8 *ip);
void twin_nat_fields(u8 *ip, const struct twin_nat *nat);
void twin_nat_steps(u8 *ip, const struct twin_nat *nat, bool partial);
void twin_ttl(u8 *ip);
void twin_outer(u8 *out, const u8 *template, u8 rules, const u8 *inner, u16 len,
		u16 id);

#endif /* _UNIT_TWIN_H */

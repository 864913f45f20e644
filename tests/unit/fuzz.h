/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_FUZZ_H
#define _UNIT_FUZZ_H

#include "twin.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define expect(what) do {						\
	if (!(what)) {							\
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,	\
			__LINE__, #what);				\
		abort();						\
	}								\
} while (0)

/* The place that a packet with UDP behind its first header comes to, if there is room
 * for that.
 */
static inline struct ftun_fou fuzz_place(const u8 *ip, u32 len, bool v6, u8 proto)
{
	u32 at = twin_hlen(v6), addr = twin_addr_len(v6);
	struct ftun_fou fou = { 0 };

	if (v6 && len >= 48 && ip[6] == P_DSTOPTS)
		at += 8;
	if (len < at + 8)
		return fou;
	memcpy(fou.port[0].daddr, ip + twin_addr_at(v6) + addr, addr);
	memcpy(&fou.port[0].dport, ip + at + 2, 2);
	fou.port[0].v6 = v6;
	fou.port[0].proto = proto;
	fou.count = 1;
	return fou;
}

static inline void fuzz_fix(u8 *ip, u32 len, bool v6,
			    const struct ftun_fou *fou);

static inline void fuzz_fix_gre(u8 *gre, u32 len)
{
	u32 hlen = 4 + 4 * !!(gre[0] & GRE_C) + 4 * !!(gre[0] & GRE_K) +
		   4 * !!(gre[0] & GRE_S);

	if (len < hlen)
		return;
	fuzz_fix(gre + hlen, len - hlen, get16(gre + 2) == 0x86dd, NULL);
	twin_fix_gre(gre, len);
}

static inline void fuzz_fix_payload(u8 *to, u32 len, u8 proto)
{
	if (proto == P_GRE && len >= 4)
		fuzz_fix_gre(to, len);
	if (proto == P_IPV4 || proto == P_IPV6)
		fuzz_fix(to, len, proto == P_IPV6, NULL);
}

static inline void fuzz_fix_l4(u8 *ip, u32 len, bool v6)
{
	u32 own = twin_ip_len(ip, v6);

	if (own <= len &&
	    own >= twin_hlen(v6) + (ip[twin_proto_at(v6)] == P_UDP ? 8 : 20))
		twin_fix_l4(ip, v6);
}

/* @len bytes from the IP header on, @at of them in front of UDP. */
static inline void fuzz_fix_udp(u8 *ip, u32 len, bool v6, u32 at, u8 proto)
{
	u32 hlen = proto ? 8 : 12;

	if (len < at + hlen)
		return;
	fuzz_fix_payload(ip + at + hlen, len - at - hlen,
			 proto ? proto : ip[at + 9]);
	if (get16(ip + at + 6) && twin_ip_len(ip, v6) == len)
		twin_fix_udp(ip, v6, at);
}

/* Sums that a fuzzer would hardly ever guess, as far as there is room for them. */
static inline void fuzz_fix(u8 *ip, u32 len, bool v6,
			    const struct ftun_fou *fou)
{
	u32 at = twin_hlen(v6), own;
	u8 proto;

	if (len < at)
		return;
	own = twin_ip_len(ip, v6) < len ? twin_ip_len(ip, v6) : len;
	proto = ip[twin_proto_at(v6)];
	if (v6 && proto == P_DSTOPTS && own >= 48) {
		proto = ip[40];
		at += 8;
	}
	if (proto == P_UDP && fou && fou->count)
		fuzz_fix_udp(ip, own, v6, at, fou->port[0].proto);
	else if (proto == P_TCP || proto == P_UDP)
		fuzz_fix_l4(ip, len, v6);
	else if (own >= at)
		fuzz_fix_payload(ip + at, own - at, proto);
	twin_fix_ip(ip, v6);
}

#endif /* _UNIT_FUZZ_H */

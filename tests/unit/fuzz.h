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

static inline void fuzz_fix(u8 *ip, u32 len, bool v6);

static inline void fuzz_fix_gre(u8 *gre, u32 len)
{
	u32 hlen = 4 + 4 * !!(gre[0] & GRE_C) + 4 * !!(gre[0] & GRE_K) +
		   4 * !!(gre[0] & GRE_S);

	if (len < hlen)
		return;
	fuzz_fix(gre + hlen, len - hlen, get16(gre + 2) == 0x86dd);
	twin_fix_gre(gre, len);
}

static inline void fuzz_fix_l4(u8 *ip, u32 len, bool v6)
{
	u32 own = twin_ip_len(ip, v6);

	if (own <= len &&
	    own >= twin_hlen(v6) + (ip[twin_proto_at(v6)] == P_UDP ? 8 : 20))
		twin_fix_l4(ip, v6);
}

/* Sums that a fuzzer would hardly ever guess, as far as there is room for them. */
static inline void fuzz_fix(u8 *ip, u32 len, bool v6)
{
	u32 at = twin_hlen(v6), own;
	u8 proto;

	if (len < at)
		return;
	own = twin_ip_len(ip, v6) < len ? twin_ip_len(ip, v6) : len;
	proto = ip[twin_proto_at(v6)];
	if (proto == P_TCP || proto == P_UDP)
		fuzz_fix_l4(ip, len, v6);
	if (v6 && proto == P_DSTOPTS && own >= 48) {
		proto = ip[40];
		at += 8;
	}
	if (proto == P_GRE && own >= at + 4)
		fuzz_fix_gre(ip + at, own - at);
	if ((proto == P_IPV4 || proto == P_IPV6) && own >= at)
		fuzz_fix(ip + at, own - at, proto == P_IPV6);
	twin_fix_ip(ip, v6);
}

#endif /* _UNIT_FUZZ_H */

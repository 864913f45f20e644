/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_FUZZ_H
#define _UNIT_FUZZ_H

#include "twin.h"

#include <netinet/in.h>
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

/* Sums that a fuzzer would hardly ever guess, as far as there is room for them. */
static inline void fuzz_fix(u8 *ip, u32 len)
{
	u32 inner;

	if (len < 20)
		return;
	if (ip[9] == IPPROTO_IPIP) {
		fuzz_fix(ip + 20, len - 20);
		twin_fix_ip(ip);
		return;
	}
	inner = get16(ip + 2);
	if (inner <= len && inner >= (ip[9] == IPPROTO_UDP ? 28 : 40))
		twin_fix_l4(ip, inner);
	twin_fix_ip(ip);
}

#endif /* _UNIT_FUZZ_H */

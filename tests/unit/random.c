// SPDX-License-Identifier: GPL-2.0
#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static u64 state = 1;

u32 rnd(void)	/* xorshift64* */
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dull) >> 32;
}

u16 rnd16(void)
{
	static const u16 edges[] = { 0, 1, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff };

	return rnd() % 4 ? rnd() : edges[rnd() % 8];
}

u32 rnd32(void)
{
	return (u32)rnd16() << 16 | rnd16();
}

void rnd_bytes(u8 *byte, u32 len)
{
	while (len--)
		*byte++ = rnd();
}

void rnd_init(void)
{
	const char *given = getenv("SEED");
	u64 seed = given ? strtoull(given, NULL, 0)
			 : (u32)(time(NULL) * 2654435761u ^ getpid());

	state = seed * 0x9e3779b97f4a7c15ull | 1;
	printf("# SEED=%llu repeats this run\n", (unsigned long long)seed);
	fflush(stdout);
}

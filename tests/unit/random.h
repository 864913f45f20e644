/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_RANDOM_H
#define _UNIT_RANDOM_H

#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* SEED=N in the environment repeats a run; every run says what its seed is. */
static u64 random_state;

static inline u32 rnd(void)	/* xorshift64* */
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dull) >> 32;
}

/* Now and then a number with an edge. */
static inline u16 rnd16(void)
{
	static const u16 edges[] = { 0, 1, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff };

	return rnd() % 4 ? rnd() : edges[rnd() % 8];
}

static inline u32 rnd32(void)
{
	return (u32)rnd16() << 16 | rnd16();
}

static inline void rnd_bytes(u8 *byte, u32 len)
{
	while (len--)
		*byte++ = rnd();
}

static inline void rnd_init(void)
{
	const char *given = getenv("SEED");
	u64 seed = given ? strtoull(given, NULL, 0)
			 : (u32)(time(NULL) * 2654435761u ^ getpid());

	random_state = seed * 0x9e3779b97f4a7c15ull | 1;
	printf("# SEED=%llu repeats this run\n", (unsigned long long)seed);
	fflush(stdout);
}

#endif /* _UNIT_RANDOM_H */

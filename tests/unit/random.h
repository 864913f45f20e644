/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_RANDOM_H
#define _UNIT_RANDOM_H

#include <linux/types.h>

/* SEED=N in the environment repeats a run; every run says what its seed is. */
void rnd_init(void);
u32 rnd(void);
void rnd_bytes(u8 *byte, u32 len);

/* Now and then a number with an edge. */
u16 rnd16(void);
u32 rnd32(void);

#endif /* _UNIT_RANDOM_H */

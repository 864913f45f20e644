/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_STRANGER_H
#define _FTUN_STRANGER_H

#include "policy.h"

struct sk_buff;

int ftun_stranger_init(void);
void ftun_stranger_exit(void);
u64 ftun_stranger_hash(const struct ftun_net *fn, const struct sk_buff *skb,
		       u32 iif);
void ftun_stranger_add(struct ftun_net *fn, u64 known,
		       const struct ftun_generations *seen);
bool ftun_stranger_is(const struct ftun_net *fn, const struct sk_buff *skb,
		      u32 iif);

/* Is there any that a packet could be one of? */
static inline bool ftun_stranger_any(const struct ftun_net *fn)
{
	return READ_ONCE(fn->strangers);
}

/* Once a second: where none turns up again, packets are not compared any more. */
static inline void ftun_stranger_tick(struct ftun_net *fn)
{
	WRITE_ONCE(fn->strangers, false);
}

#endif /* _FTUN_STRANGER_H */

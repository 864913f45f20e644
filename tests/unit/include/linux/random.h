/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_RANDOM_H
#define _UNIT_LINUX_RANDOM_H

void rnd_bytes(u8 *byte, u32 len);

#define get_random_once(buf, len)	rnd_bytes((u8 *)(buf), len)

#endif /* _UNIT_LINUX_RANDOM_H */

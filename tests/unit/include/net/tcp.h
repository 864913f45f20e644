/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_NET_TCP_H
#define _UNIT_NET_TCP_H

#include <linux/tcp.h>
#include <linux/types.h>

/* The byte after data offset and reserved bits, RFC 9293 section 3.1. */
static inline u8 tcp_flag_byte(const struct tcphdr *tcph)
{
	return ((const u8 *)tcph)[13];
}

#endif /* _UNIT_NET_TCP_H */

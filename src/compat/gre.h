/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_COMPAT_GRE_H
#define _FTUN_COMPAT_GRE_H

#include <net/ip_tunnels.h>

/* A tunnel's flags were a word and became a bitmap. */
#ifdef FTUN_HAVE_IP_TUNNEL_BITMAP

static inline bool gre_wants_seq(const unsigned long *flags)
{
	return test_bit(IP_TUNNEL_SEQ_BIT, flags);
}

#else

static inline bool gre_wants_seq(__be16 flags)
{
	return flags & TUNNEL_SEQ;
}

#endif /* FTUN_HAVE_IP_TUNNEL_BITMAP */

#endif /* _FTUN_COMPAT_GRE_H */

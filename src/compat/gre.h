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

static inline bool tunnel_key_wants_df(const struct ip_tunnel_key *key)
{
	return test_bit(IP_TUNNEL_DONT_FRAGMENT_BIT, key->tun_flags);
}

#else

static inline bool gre_wants_seq(__be16 flags)
{
	return flags & TUNNEL_SEQ;
}

static inline bool tunnel_key_wants_df(const struct ip_tunnel_key *key)
{
	return key->tun_flags & TUNNEL_DONT_FRAGMENT;
}

#endif /* FTUN_HAVE_IP_TUNNEL_BITMAP */

#endif /* _FTUN_COMPAT_GRE_H */

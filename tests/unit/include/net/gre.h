/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_NET_GRE_H
#define _UNIT_NET_GRE_H

#include <linux/types.h>

/* RFC 2784 section 2.1, RFC 2890 section 2 */
#define GRE_CSUM	htons(0x8000)
#define GRE_KEY		htons(0x2000)
#define GRE_SEQ		htons(0x1000)

struct gre_base_hdr {
	__be16 flags;
	__be16 protocol;
};

#endif /* _UNIT_NET_GRE_H */

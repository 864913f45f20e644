/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_PACKET_H
#define _UNIT_PACKET_H

#include "twin.h"

#define PACKET_MAX	2048

/**
 * struct packet - a valid packet, to be spoiled by whoever wants to
 * @bytes:  its bytes
 * @len:    their number, with @pad
 * @inner:  where the inner header is; 0 if there is no tunnel
 * @proto:  IPPROTO_TCP or IPPROTO_UDP
 * @l4opts: bytes of TCP options
 * @data:   bytes of payload
 * @pad:    bytes behind the packet
 */
struct packet {
	u8	bytes[PACKET_MAX];
	u32	len;
	u32	inner;
	u8	proto;
	u32	l4opts;
	u32	data;
	u32	pad;
};

void packet_fill(struct packet *p);
void packet_fix(struct packet *p);

#endif /* _UNIT_PACKET_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_FOU_H
#define _FTUN_FOU_H

#include <linux/spinlock.h>
#include <linux/types.h>

#define FTUN_FOU_PORTS	8

/**
 * struct ftun_fou_port - where tunnelled packets in UDP are known to come to
 * @daddr: address of this router, its first word only if it is IPv4
 * @dport: UDP port
 * @v6:    the addresses are IPv6, not IPv4
 * @gone:  nobody takes packets out there any more
 * @proto: protocol number of what follows UDP (FOU); 0 if a GUE header does
 * @sport: source port of a packet that came there
 * @saddr: its source address
 * @iif:   index of the device that it came in by
 * @cookie: of the socket that it was for, see socket.c
 */
struct ftun_fou_port {
	__be32		daddr[4];
	__be16		dport;
	u8		v6;
	u8		gone;
	u8		proto;
	__be16		sport;
	__be32		saddr[4];
	u32		iif;
	u64		cookie;
};

/**
 * struct ftun_fou - all such ports of a network namespace
 * @count:  how many; grows only, and after the entry has been written
 * @wanted: there are tunnels that put UDP around their packets
 * @lock:   held by who writes to @port
 * @port:   constant once counted, but for those that are gone and come back
 *
 * The kernel keeps its own list of them to itself, so this one is made from what
 * is seen. A wrong entry costs speed: what it makes of packets is never proven.
 */
struct ftun_fou {
	unsigned int		count;
	bool			wanted;
	spinlock_t		lock;	/* writing to @port and @count */
	struct ftun_fou_port	port[FTUN_FOU_PORTS];
};

const struct ftun_fou_port *ftun_fou_find(const struct ftun_fou *fou,
					  const __be32 *daddr, bool v6,
					  __be16 dport);
bool ftun_fou_guess(struct ftun_fou_port *port, const u8 *payload);
void ftun_fou_add(struct ftun_fou *fou, const struct ftun_fou_port *port);

#endif /* _FTUN_FOU_H */

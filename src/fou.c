// SPDX-License-Identifier: GPL-2.0
/* Where tunnelled packets in UDP come to: FOU and GUE. */
#include "fou.h"

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/string.h>

#include "hot.h"

/* Asked of every UDP packet: nothing here is a call. */
static bool port_is(const struct ftun_fou_port *port, const __be32 *daddr,
		    bool v6, __be16 dport)
{
	return port->dport == dport && port->v6 == v6 && !READ_ONCE(port->gone) &&
	       port->daddr[0] == daddr[0] &&
	       (!v6 || !memcmp(port->daddr + 1, daddr + 1, 12));
}

/**
 * ftun_fou_find() - do packets to this place carry others?
 * @fou:   the known places
 * @daddr: destination address
 * @v6:    it is IPv6, not IPv4
 * @dport: destination port
 *
 * Context: any.
 * Return: the place or NULL.
 */
__ftun_hot const struct ftun_fou_port *ftun_fou_find(const struct ftun_fou *fou,
						     const __be32 *daddr, bool v6,
						     __be16 dport)
{
	const struct ftun_fou_port *port, *end;

	/* Pairs with ftun_fou_add(). */
	end = fou->port + smp_load_acquire(&fou->count);

	for (port = fou->port; port < end; port++)
		if (port_is(port, daddr, v6, dport))
			return port;
	return NULL;
}

static u8 ip_proto(u8 first)
{
	switch (first >> 4) {
	case 4:
		return IPPROTO_IPIP;
	case 6:
		return IPPROTO_IPV6;
	default:
		return 0;
	}
}

/**
 * ftun_fou_guess() - what stands behind UDP in front of a tunnelled packet?
 * @port:    proto is filled in
 * @payload: the 4 bytes behind the UDP header
 *
 * An IP header says so itself. GUE's begins with two zeros on either side of a
 * protocol number; GRE's ends with an Ethernet type.
 *
 * Return: false for anything else.
 */
bool ftun_fou_guess(struct ftun_fou_port *port, const u8 *payload)
{
	__be16 type;

	memcpy(&type, payload + 2, sizeof(type));
	port->proto = ip_proto(payload[0]);
	if (port->proto)
		return true;
	if (type == htons(ETH_P_IP) || type == htons(ETH_P_IPV6)) {
		port->proto = IPPROTO_GRE;
		return true;
	}
	return !payload[0] && !type;
}

/* The first that is gone, or room behind the last one */
static struct ftun_fou_port *free_port(struct ftun_fou *fou)
{
	unsigned int i;

	for (i = 0; i < fou->count; i++)
		if (fou->port[i].gone)
			break;
	return i < FTUN_FOU_PORTS ? &fou->port[i] : NULL;
}

/**
 * ftun_fou_add() - remember a place
 * @fou:  the known places; beyond FTUN_FOU_PORTS none is added
 * @port: the new one
 *
 * Who is just looking at one whose room it takes may see a mixture, which costs speed.
 *
 * Context: BH off.
 */
void ftun_fou_add(struct ftun_fou *fou, const struct ftun_fou_port *port)
{
	struct ftun_fou_port *new;

	spin_lock(&fou->lock);
	new = free_port(fou);
	if (new && !ftun_fou_find(fou, port->daddr, port->v6, port->dport)) {
		*new = *port;
		if (new == fou->port + fou->count)
			/* Whoever counts the entry sees it whole. */
			smp_store_release(&fou->count, fou->count + 1);
	}
	spin_unlock(&fou->lock);
}

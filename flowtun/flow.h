/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FLOWTUN_FLOW_H
#define FLOWTUN_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include <netinet/in.h>

#include "nl.h"

/* A failed proof has 160 bytes of a packet, twice. */
#define MISMATCH_MAX	256

/**
 * struct tuple - addresses and ports of one header
 * @family: AF_INET or AF_INET6; 0 if there is none
 * @proto:  IPPROTO_*
 * @src:    source address
 * @dst:    destination address
 * @sport:  source port, host order
 * @dport:  destination port
 */
struct tuple {
	uint8_t		family;
	uint8_t		proto;
	struct in6_addr	src;
	struct in6_addr	dst;
	uint16_t	sport;
	uint16_t	dport;
};

/**
 * struct outer - a tunnel's header
 * @given:   there is one
 * @encap:   enum ftun_nl_encap
 * @udp:     enum ftun_nl_udp_encap
 * @ifindex: tunnel device
 * @has_key: there is a GRE key
 * @key:     which
 * @tuple:   its addresses, and UDP ports
 */
struct outer {
	bool		given;
	uint32_t	encap;
	uint32_t	udp;
	uint32_t	ifindex;
	bool		has_key;
	uint32_t	key;
	struct tuple	tuple;
};

/**
 * struct dir - a direction of a connection, as the module describes it
 * @state:    enum ftun_nl_state
 * @reason:   name of a counter, or ""
 * @since:    milliseconds in this state
 * @in:       device of inner packets that come in
 * @out:      device of inner packets that go out
 * @armed:    what follows is known
 * @wire_in:  device with the ingress hook
 * @wire_out: device that sends
 * @mtu:      longest inner packet
 * @idle:     milliseconds since the last packet
 * @passed:   why a packet was last left to the slow path, or ""
 * @ago:      milliseconds since that
 * @packets:  on the fast path
 * @bytes:    likewise
 * @tuple:    of packets as they come in
 * @nat:      as they go out
 * @decap:    header that comes off
 * @encap:    header that is put on
 * @slow_len: length of @slow; 0 if no proof has failed
 * @slow:     what the slow path sent
 * @fast:     what the fast path would have sent
 */
struct dir {
	uint32_t	state;
	char		reason[32];
	uint32_t	since;
	uint32_t	in;
	uint32_t	out;
	bool		armed;
	uint32_t	wire_in;
	uint32_t	wire_out;
	uint32_t	mtu;
	uint32_t	idle;
	char		passed[32];
	uint32_t	ago;
	uint64_t	packets;
	uint64_t	bytes;
	struct tuple	tuple;
	struct tuple	nat;
	struct outer	decap;
	struct outer	encap;
	unsigned int	slow_len;
	uint8_t		slow[MISMATCH_MAX];
	uint8_t		fast[MISMATCH_MAX];
};

/**
 * struct flow - a connection
 * @id:       0 if the module does not know it
 * @ct_mark:  conntrack mark
 * @zone:     conntrack zone
 * @reason:   of an event; or why the connection is not known
 * @event:    enum ftun_nl_event
 * @is_reply: direction the event is about; -1: both
 * @tracked:  conntrack knows it
 * @dir:      original and reply
 */
struct flow {
	uint64_t	id;
	uint32_t	ct_mark;
	uint16_t	zone;
	char		reason[32];
	uint32_t	event;
	int		is_reply;
	bool		tracked;
	struct dir	dir[2];
};

void flow_read(struct flow *flow, const struct nlmsghdr *nlh);
const char *state_name(uint32_t state);

/* Armed, and its last packet was not left to the slow path after all. */
bool dir_is_fast(const struct dir *dir);

/* "10.0.0.1:80" or "[fd00::1]:80" */
const char *end_text(char *buf, const struct tuple *tuple, bool dst);
#define END_SIZE	64

void flow_json(const struct flow *flow);
void dir_print(const struct flow *flow, int index);
void tuple_json(const char *key, const struct tuple *tuple);

#endif

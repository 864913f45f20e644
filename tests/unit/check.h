/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_CHECK_H
#define _UNIT_CHECK_H

#include "packet.h"

#define IIF	7
#define LINEAR	PACKET_MAX	/* all of it */

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* The parser says what its twin says, or the test fails; and what they say. */
enum ftun_stat check_skb(struct sk_buff *skb, const struct ftun_fou *fou);
enum ftun_stat check(const struct packet *p, u32 linear);
enum ftun_stat check_cut(const struct packet *p, u32 len, u32 linear);

/* A packet that has to be a good one. */
struct ftun_packet parsed(const struct packet *p, u32 iif);

/* As the table keeps a path's key, in parts */
bool tuple_equal(const struct ftun_tuple *a, const struct ftun_tuple *b);

#endif /* _UNIT_CHECK_H */

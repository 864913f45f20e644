/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_NET_INET_ECN_H
#define _UNIT_NET_INET_ECN_H

/* RFC 3168 section 5. */
enum {
	INET_ECN_NOT_ECT = 0,
	INET_ECN_ECT_1 = 1,
	INET_ECN_ECT_0 = 2,
	INET_ECN_CE = 3,
	INET_ECN_MASK = 3,
};

#endif /* _UNIT_NET_INET_ECN_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_WINDOW_H
#define _FTUN_WINDOW_H

#include <linux/types.h>

struct nf_conn;
struct tcphdr;

bool ftun_window_track(struct nf_conn *ct, u8 dir, const struct tcphdr *tcph,
		       u32 len);
u32 ftun_window_timeout(struct nf_conn *ct);

#endif /* _FTUN_WINDOW_H */

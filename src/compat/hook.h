/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_COMPAT_HOOK_H
#define _FTUN_COMPAT_HOOK_H

#include <linux/netfilter.h>

/* Is it a BPF program? Older kernels have none of that kind. */
static inline bool nf_hook_is_bpf(const struct nf_hook_ops *ops)
{
#ifdef FTUN_HAVE_HOOK_OP_BPF
	return ops->hook_ops_type == NF_HOOK_OP_BPF;
#else
	return false;
#endif
}

#endif /* _FTUN_COMPAT_HOOK_H */

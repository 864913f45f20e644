/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_IF_VLAN_H
#define _UNIT_LINUX_IF_VLAN_H

#include <linux/skbuff.h>

static inline bool skb_vlan_tag_present(const struct sk_buff *skb)
{
	return skb->vlan;
}

#endif /* _UNIT_LINUX_IF_VLAN_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * A proof holds for as long as what it stood on does. Nothing is torn down when
 * that changes: a number changes, and each flow's next packet finds out and takes
 * the slow path, where it proves the flow anew.
 */
#include "policy.h"

/**
 * ftun_policy_changed() - make every flow prove itself again
 * @fn: where
 *
 * Context: any. The change must be visible to other CPUs before.
 */
void ftun_policy_changed(struct ftun_net *fn)
{
	atomic_inc_return(&fn->generation);
	ftun_flow_gc_kick(fn);
}

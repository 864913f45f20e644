/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FTUN_HOT_H
#define _FTUN_HOT_H

/* What each packet of a flow comes by stands side by side, in a section of its own. Spread
 * over the whole text, some of its lines would share their sets of the instruction cache
 * with too many of the stack's, and each change anywhere would choose others.
 */
#define __ftun_hot	__attribute__((__hot__))

#endif /* _FTUN_HOT_H */

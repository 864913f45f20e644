/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_PERCPU_H
#define _UNIT_LINUX_PERCPU_H

#define __this_cpu_inc(what)	((what)++)

#endif /* _UNIT_LINUX_PERCPU_H */

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FLOWTUN_FILTER_H
#define FLOWTUN_FILTER_H

#include <libmnl/libmnl.h>

/* Put what the words say into a request; all of them must be understood. Both return
 * an exit code.
 */
int filter_put(struct nlmsghdr *nlh, int argc, char **argv);
int tuple_put(struct nlmsghdr *nlh, int argc, char **argv);

/* Do these words begin a tuple? */
bool is_tuple(int argc, char **argv);

#endif

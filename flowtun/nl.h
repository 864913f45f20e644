/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FLOWTUN_NL_H
#define FLOWTUN_NL_H

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#define NL_REQUEST_SIZE	32768
/* A request that is longer takes no further word. */
#define NL_REQUEST_FULL	(NL_REQUEST_SIZE - 128)
/* For memory that messages are read from or built in. */
#define NL_ALIGNED	__attribute__((aligned(8)))

/**
 * struct nl - a socket to the module
 * @sock:    of libmnl
 * @family:  number of the generic netlink family
 * @events:  number of its group of events
 * @seq:     of the last request
 * @error:   what the kernel said about the last one that failed
 * @quiet:   keep that to oneself
 * @request: being built
 */
struct nl {
	struct mnl_socket	*sock;
	uint16_t		family;
	uint32_t		events;
	uint32_t		seq;
	char			error[256];
	bool			quiet;
	char			request[NL_REQUEST_SIZE] NL_ALIGNED;
};

typedef int (*nl_cb)(const struct nlmsghdr *nlh, void *data);

/* Resolving the family's name loads the module. Returns 0 or -errno, with a message
 * unless @nl->quiet.
 */
int nl_open(struct nl *nl);
void nl_close(struct nl *nl);

/* @nl of the whole program, opened when first asked for; NULL with a message. */
struct nl *nl_get(void);

struct nlmsghdr *nl_request(struct nl *nl, uint8_t cmd, bool dump);

/* Send it, hand every answer to @cb. Returns 0 or -errno, with a message unless
 * @nl->quiet.
 */
int nl_talk(struct nl *nl, struct nlmsghdr *nlh, nl_cb cb, void *data);

/* From now on events come. Returns 0 or -errno, with a message. */
int nl_listen(struct nl *nl);
/* Among what comes: does this say that the module has been unloaded? */
bool nl_gone(const struct nl *nl, const struct nlmsghdr *nlh);

/* Attributes of one level by type; those beyond @max are left out. */
void nl_parse(const struct nlmsghdr *nlh, const struct nlattr **tb, int max);
void nl_parse_nested(const struct nlattr *nest, const struct nlattr **tb,
		     int max);

/* 0 and "" for what is not there. */
uint32_t nl_u32(const struct nlattr *attr);
uint64_t nl_u64(const struct nlattr *attr);
const char *nl_str(const struct nlattr *attr);

#endif

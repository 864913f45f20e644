// SPDX-License-Identifier: GPL-2.0
/*
 * The ids of all connections, as a dump has them: 8 bytes each on standard output.
 *
 *	ids FAMILY
 *
 * FAMILY is the number of the generic netlink family. flowtun would say it in words,
 * which take longer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "../../include/uapi/linux/nf_flowtable_tun.h"

static int ask(int family)
{
	struct {
		struct nlmsghdr		head;
		struct genlmsghdr	genl;
	} request = {
		.head = {
			.nlmsg_len	= sizeof(request),
			.nlmsg_type	= family,
			.nlmsg_flags	= NLM_F_REQUEST | NLM_F_DUMP,
		},
		.genl = { .cmd = FTUN_CMD_FLOW_GET, .version = 1 },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);

	if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0) {
		perror("ids");
		exit(1);
	}
	return fd;
}

static void show(const struct nlmsghdr *head)
{
	const char *at = (const char *)head + NLMSG_LENGTH(GENL_HDRLEN);
	const char *end = (const char *)head + head->nlmsg_len;

	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *attr = (const struct nlattr *)at;

		if ((attr->nla_type & NLA_TYPE_MASK) == FTUN_A_FLOW_ID)
			fwrite(at + NLA_HDRLEN, sizeof(uint64_t), 1, stdout);
		if (attr->nla_len < NLA_HDRLEN)
			break;
		at += NLA_ALIGN(attr->nla_len);
	}
}

/* Return: whether it was the last. */
static int handle(const struct nlmsghdr *head)
{
	if (head->nlmsg_flags & NLM_F_DUMP_INTR || head->nlmsg_type == NLMSG_ERROR) {
		fprintf(stderr, "ids: the dump failed\n");
		exit(1);
	}
	if (head->nlmsg_type == NLMSG_DONE)
		return 1;
	show(head);
	return 0;
}

int main(int argc, char **argv)
{
	static char buf[1 << 16] __attribute__((aligned(8)));
	int fd = ask(argc == 2 ? atoi(argv[1]) : 0);

	for (;;) {
		ssize_t len = recv(fd, buf, sizeof(buf), 0);
		const struct nlmsghdr *head = (const struct nlmsghdr *)buf;

		if (len <= 0) {
			perror("ids");
			return 1;
		}
		for (; NLMSG_OK(head, len); head = NLMSG_NEXT(head, len))
			if (handle(head))
				return fflush(stdout) ? 1 : 0;
	}
}

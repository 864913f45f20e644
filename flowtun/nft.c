// SPDX-License-Identifier: GPL-2.0
/* nftables' own flowtables, which work on the same packets. */
#include "nft.h"

#include <errno.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/flowtable.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "nl.h"

struct visit {
	nft_flowtable_cb	cb;
	void			*data;
};

static void each_device(const struct nftnl_flowtable *table,
			const struct visit *visit)
{
	const char *const *devs;

	devs = nftnl_flowtable_get_array(table, NFTNL_FLOWTABLE_DEVICES);
	for (; devs && *devs; devs++)
		visit->cb(nftnl_flowtable_get_str(table, NFTNL_FLOWTABLE_TABLE),
			  nftnl_flowtable_get_str(table, NFTNL_FLOWTABLE_NAME),
			  *devs, visit->data);
}

static int on_flowtable(const struct nlmsghdr *nlh, void *data)
{
	struct nftnl_flowtable *table = nftnl_flowtable_alloc();

	if (!table)
		return MNL_CB_ERROR;
	if (!nftnl_flowtable_nlmsg_parse(nlh, table))
		each_device(table, data);
	nftnl_flowtable_free(table);
	return MNL_CB_OK;
}

static int talk(struct mnl_socket *sock, struct visit *visit)
{
	static char buf[65536] NL_ALIGNED;
	unsigned int seq = time(NULL);
	struct nlmsghdr *nlh;
	ssize_t size;
	int more;

	nlh = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETFLOWTABLE, NFPROTO_UNSPEC,
				    NLM_F_DUMP, seq);
	if (mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		size = mnl_socket_recvfrom(sock, buf, sizeof(buf));
		if (size < 0)
			return -errno;
		more = mnl_cb_run(buf, size, seq, mnl_socket_get_portid(sock),
				  on_flowtable, visit);
	} while (more > 0);
	return more < 0 ? -errno : 0;
}

int nft_flowtables(nft_flowtable_cb cb, void *data)
{
	struct visit visit = { cb, data };
	struct mnl_socket *sock = mnl_socket_open(NETLINK_NETFILTER);
	int err;

	if (!sock)
		return -errno;
	err = mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno :
	      talk(sock, &visit);
	mnl_socket_close(sock);
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/* Talking to the module. */
#include "nl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/genetlink.h>

#include "flowtun.h"

#define ANSWER_SIZE	65536

struct parsed {
	const struct nlattr	**tb;
	int			max;
};

static int parse_attr(const struct nlattr *attr, void *data)
{
	struct parsed *parsed = data;

	if (mnl_attr_get_type(attr) <= parsed->max)
		parsed->tb[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

void nl_parse(const struct nlmsghdr *nlh, const struct nlattr **tb, int max)
{
	struct parsed parsed = { tb, max };

	memset(tb, 0, (max + 1) * sizeof(*tb));
	mnl_attr_parse(nlh, sizeof(struct genlmsghdr), parse_attr, &parsed);
}

void nl_parse_nested(const struct nlattr *nest, const struct nlattr **tb,
		     int max)
{
	struct parsed parsed = { tb, max };

	memset(tb, 0, (max + 1) * sizeof(*tb));
	if (nest)
		mnl_attr_parse_nested(nest, parse_attr, &parsed);
}

uint32_t nl_u32(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u32(attr) : 0;
}

uint64_t nl_u64(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_u64(attr) : 0;
}

const char *nl_str(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_str(attr) : "";
}

/* What the kernel adds to an error: a sentence, if it has one. */
static void keep_error(struct nl *nl, const void *attrs, int len)
{
	const struct nlattr *attr = attrs;

	nl->error[0] = 0;
	while (mnl_attr_ok(attr, len)) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(nl->error, sizeof(nl->error), "%s",
				 mnl_attr_get_str(attr));
		len -= MNL_ALIGN(attr->nla_len);
		attr = mnl_attr_next(attr);
	}
}

static int on_error(const struct nlmsghdr *nlh, struct nl *nl)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);

	if (!err->error)
		return 0;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&err->msg);
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		keep_error(nl, (const char *)err + MNL_ALIGN(skip),
			   mnl_nlmsg_get_payload_len(nlh) - MNL_ALIGN(skip));
	return err->error;
}

/* A dump that fails says so in its last message. */
static int on_done(const struct nlmsghdr *nlh, struct nl *nl)
{
	const int *error = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh);

	if (len < sizeof(*error) || *error >= 0)
		return 0;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		keep_error(nl, error + 1, len - sizeof(*error));
	return *error;
}

/* Returns 1 if there is more to come, 0 at the end, -errno. */
static int on_answers(struct nl *nl, const char *buf, ssize_t size, nl_cb cb,
		      void *data)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
	int left = size;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != nl->seq)
			continue;
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return on_error(nlh, nl);
		if (nlh->nlmsg_type == NLMSG_DONE)
			return on_done(nlh, nl);
		if (cb)
			cb(nlh, data);
	}
	return 1;
}

static int explain(struct nl *nl, int err)
{
	if (nl->quiet)
		return err;
	if (nl->error[0])
		fprintf(stderr, "flowtun: the kernel refuses: %s (%s)\n",
			nl->error, strerror(-err));
	else if (err == -EPERM)
		fprintf(stderr, "flowtun: not permitted: this needs CAP_NET_ADMIN\n");
	else
		fprintf(stderr, "flowtun: the kernel refuses: %s\n",
			strerror(-err));
	return err;
}

int nl_talk(struct nl *nl, struct nlmsghdr *nlh, nl_cb cb, void *data)
{
	static char buf[ANSWER_SIZE] NL_ALIGNED;
	ssize_t size;
	int more;

	nl->error[0] = 0;
	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0)
		return explain(nl, -errno);
	do {
		size = mnl_socket_recvfrom(nl->sock, buf, sizeof(buf));
		if (size < 0 && errno == EINTR)
			return -EINTR;
		if (size < 0)
			return explain(nl, -errno);
		more = on_answers(nl, buf, size, cb, data);
	} while (more > 0);
	return more < 0 ? explain(nl, more) : 0;
}

static struct nlmsghdr *request(struct nl *nl, uint16_t type, uint8_t cmd,
				uint8_t version, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->request);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

struct nlmsghdr *nl_request(struct nl *nl, uint8_t cmd, bool dump)
{
	return request(nl, nl->family, cmd, FTUN_GENL_VERSION,
		       dump ? NLM_F_DUMP : NLM_F_ACK);
}

static void on_group(const struct nlattr *nest, struct nl *nl)
{
	const struct nlattr *tb[CTRL_ATTR_MCAST_GRP_MAX + 1];

	nl_parse_nested(nest, tb, CTRL_ATTR_MCAST_GRP_MAX);
	if (!strcmp(nl_str(tb[CTRL_ATTR_MCAST_GRP_NAME]), "events"))
		nl->events = nl_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
}

static int on_family(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[CTRL_ATTR_MAX + 1], *group;
	struct nl *nl = data;

	nl_parse(nlh, tb, CTRL_ATTR_MAX);
	if (tb[CTRL_ATTR_FAMILY_ID])
		nl->family = mnl_attr_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	if (tb[CTRL_ATTR_MCAST_GROUPS])
		mnl_attr_for_each_nested(group, tb[CTRL_ATTR_MCAST_GROUPS])
			on_group(group, nl);
	return MNL_CB_OK;
}

static int find_family(struct nl *nl)
{
	struct nlmsghdr *nlh;
	bool quiet = nl->quiet;
	int err;

	nlh = request(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_ACK);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, FTUN_GENL_NAME);
	nl->quiet = true;
	err = nl_talk(nl, nlh, on_family, nl);
	nl->quiet = quiet;
	if (err == -ENOENT && !quiet)
		fputs("flowtun: the module nf_flowtable_tun is not loaded, and cannot be by itself: try modprobe nf_flowtable_tun\n",
		      stderr);
	else if (err)
		explain(nl, err);
	return err;
}

int nl_open(struct nl *nl)
{
	int one = 1;
	int err;

	nl->sock = mnl_socket_open2(NETLINK_GENERIC, 0);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return explain(nl, -errno);
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &one, sizeof(one));
	nl->seq = time(NULL);
	err = find_family(nl);
	if (err)
		nl_close(nl);
	return err;
}

void nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

struct nl *nl_get(void)
{
	static struct nl nl;

	if (!nl.sock && nl_open(&nl))
		return NULL;
	return &nl;
}

int nl_listen(struct nl *nl)
{
	/* What becomes of families, ours too. The group has the family's own number. */
	uint32_t families = GENL_ID_CTRL;

	if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &families,
				  sizeof(families)) < 0 ||
	    mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &nl->events,
				  sizeof(nl->events)) < 0)
		return explain(nl, -errno);
	return 0;
}

bool nl_gone(const struct nl *nl, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[CTRL_ATTR_MAX + 1];

	if (nlh->nlmsg_type != GENL_ID_CTRL || genl->cmd != CTRL_CMD_DELFAMILY)
		return false;
	nl_parse(nlh, tb, CTRL_ATTR_MAX);
	return tb[CTRL_ATTR_FAMILY_ID] &&
	       mnl_attr_get_u16(tb[CTRL_ATTR_FAMILY_ID]) == nl->family;
}

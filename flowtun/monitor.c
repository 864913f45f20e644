// SPDX-License-Identifier: GPL-2.0
/* flowtun monitor: what becomes of connections, as it happens. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <linux/genetlink.h>

#include "flow.h"
#include "flowtun.h"
#include "json.h"

#define BUFFER_SIZE	65536
/* So that a burst finds room before it can be read. */
#define SOCKET_SIZE	(4 << 20)

static const char *const event_names[] = {
	[FTUN_NL_EVENT_LEARNED] = "learned",
	[FTUN_NL_EVENT_PROVEN] = "proven",
	[FTUN_NL_EVENT_ARMED] = "armed",
	[FTUN_NL_EVENT_REFUSED] = "refused",
	[FTUN_NL_EVENT_STALE] = "stale",
	[FTUN_NL_EVENT_ENDED] = "ended",
};

static const char *event_name(uint32_t event)
{
	if (event >= sizeof(event_names) / sizeof(event_names[0]))
		return "unknown";
	return event_names[event];
}

static void event_json(const struct flow *flow, const struct timespec *now)
{
	json_open(NULL, '{');
	json_real("time", now->tv_sec + now->tv_nsec / 1e9);
	json_str("event", event_name(flow->event));
	json_num("id", flow->id);
	if (flow->is_reply >= 0)
		json_str("direction", flow->is_reply ? "reply" : "original");
	if (*flow->reason)
		json_str("reason", flow->reason);
	json_num("ct_mark", flow->ct_mark);
	tuple_json("original", &flow->dir[0].tuple);
	tuple_json("reply", &flow->dir[1].tuple);
	json_close('}');
}

static void event_print(const struct flow *flow, const struct timespec *now)
{
	const struct tuple *tuple = &flow->dir[flow->is_reply > 0].tuple;
	char src[END_SIZE], dst[END_SIZE], clock[16];
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now->tv_sec, &tm));
	printf("%s.%03ld %-8s id %llu %s %s -> %s", clock, now->tv_nsec / 1000000,
	       event_name(flow->event), (unsigned long long)flow->id,
	       tuple->proto == IPPROTO_TCP ? "tcp" : "udp",
	       end_text(src, tuple, false), end_text(dst, tuple, true));
	if (flow->is_reply > 0)
		printf(" (reply)");
	if (*flow->reason)
		printf(" %s", flow->reason);
	putchar('\n');
}

static void on_message(const struct nlmsghdr *nlh, const struct nl *nl)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	static struct flow flow;
	struct timespec now;

	if (nlh->nlmsg_type != nl->family || genl->cmd != FTUN_CMD_FLOW_EVENT)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	flow_read(&flow, nlh);
	if (options.json)
		event_json(&flow, &now);
	else
		event_print(&flow, &now);
}

/* Returns false when no more will come: a module that is loaded again has another group. */
static bool on_messages(const struct nl *nl, const char *buf, ssize_t size)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
	bool gone = false;
	int left = size;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		on_message(nlh, nl);
		gone |= nl_gone(nl, nlh);
	}
	fflush(stdout);
	return !gone;
}

int cmd_monitor(int argc, char **argv)
{
	static char buf[BUFFER_SIZE] NL_ALIGNED;
	struct nl *nl = nl_get();
	int room = SOCKET_SIZE;
	ssize_t size;

	(void)argv;
	if (argc)
		return misuse("monitor takes no arguments");
	if (!nl)
		return EXIT_KERNEL;
	setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUFFORCE, &room,
		   sizeof(room));
	if (nl_listen(nl))
		return EXIT_KERNEL;
	fprintf(stderr, "flowtun: listening\n");
	while (!ferror(stdout)) {
		size = mnl_socket_recvfrom(nl->sock, buf, sizeof(buf));
		if (size < 0 && errno == ENOBUFS)
			fprintf(stderr, "flowtun: too many events, some are lost\n");
		else if (size < 0 && errno != EINTR)
			return failure("socket: %s", strerror(errno));
		else if (size > 0 && !on_messages(nl, buf, size))
			return failure("the module has been unloaded");
	}
	return EXIT_OK;
}

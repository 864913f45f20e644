// SPDX-License-Identifier: GPL-2.0
/* flowtun why: is it fast, and if not, why not? */
#include <errno.h>
#include <string.h>

#include "filter.h"
#include "flow.h"
#include "flowtun.h"
#include "json.h"
#include "settings.h"
#include "stat.h"
#include "tunnel.h"

#define BYTES_IN_LINE	16

static struct stat_list stats;

static const char *meaning(const char *name)
{
	const struct stat_entry *entry = stats_find(&stats, name);

	return entry ? entry->text : "";
}

static void print_reason(const char *reason)
{
	printf("    %s: %s\n", reason, meaning(reason));
	if (*advice(reason))
		printf("    %s\n", advice(reason));
}

static void reason_json(const char *reason)
{
	if (!*reason)
		return;
	json_str("reason", reason);
	json_str("text", meaning(reason));
	json_str("advice", advice(reason));
}

/* A line of bytes; those that the other line has not in brackets. */
static void print_bytes(const char *what, const uint8_t *bytes,
			const uint8_t *other, unsigned int len)
{
	printf("      %s", what);
	for (unsigned int i = 0; i < len; i++)
		printf(bytes[i] == other[i] ? " %02x " : "[%02x]", bytes[i]);
	putchar('\n');
}

static void print_mismatch(const struct dir *dir)
{
	printf("    headers from the outermost on, first proof that failed:\n");
	for (unsigned int at = 0; at < dir->slow_len; at += BYTES_IN_LINE) {
		unsigned int len = dir->slow_len - at;

		if (len > BYTES_IN_LINE)
			len = BYTES_IN_LINE;
		if (!memcmp(dir->slow + at, dir->fast + at, len))
			continue;
		printf("      at byte %u\n", at);
		print_bytes("slow", dir->slow + at, dir->fast + at, len);
		print_bytes("fast", dir->fast + at, dir->slow + at, len);
	}
}

static const char *verdict(const struct dir *dir)
{
	return dir_is_fast(dir) ? "fast" : "slow";
}

/* Packets that come before any connection is looked for: they could be of any. */
static const char *const packet_reasons[] = {
	"pass_irregular", "pass_otherhost", "pass_header", "pass_fragment",
	"pass_options", "pass_encap", "pass_ip_csum", "refuse_proto",
	"refuse_nomem",
};

#define PACKET_REASONS	(sizeof(packet_reasons) / sizeof(packet_reasons[0]))

static uint64_t packets_for(const char *reason)
{
	const struct stat_entry *entry = stats_find(&stats, reason);

	return entry ? entry->value : 0;
}

static void print_packet_reasons(void)
{
	bool any = false;

	for (size_t i = 0; i < PACKET_REASONS; i++) {
		uint64_t count = packets_for(packet_reasons[i]);

		if (!count)
			continue;
		if (!any)
			printf("packets that could be of any connection, so far:\n");
		any = true;
		printf("  %llu\n", (unsigned long long)count);
		print_reason(packet_reasons[i]);
	}
}

static void packet_reasons_json(void)
{
	json_open("any", '[');
	for (size_t i = 0; i < PACKET_REASONS; i++) {
		uint64_t count = packets_for(packet_reasons[i]);

		if (!count)
			continue;
		json_open(NULL, '{');
		json_num("count", count);
		reason_json(packet_reasons[i]);
		json_close('}');
	}
	json_close(']');
}

/* A direction without a reason waits for a packet to prove it with. */
static const char *waiting(const struct dir *dir)
{
	if (dir->state == FTUN_NL_STATE_STALE)
		return "something changed; its next packet proves it again";
	return "no packet of this direction has been proof yet; it may need traffic";
}

static void print_passed(const struct dir *dir)
{
	char buf[HUMAN_SIZE];

	printf("    its last packet that was left to the slow path, %s ago:\n",
	       human_ms(buf, sizeof(buf), dir->ago));
	print_reason(dir->passed);
}

static void explain_dir(const struct flow *flow, int index)
{
	const struct dir *dir = &flow->dir[index];
	char buf[HUMAN_SIZE];

	dir_print(flow, index);
	if (dir_is_fast(dir) || dir->state != FTUN_NL_STATE_ARMED)
		printf("    %s for %s\n", verdict(dir),
		       human_ms(buf, sizeof(buf), dir->since));
	else
		printf("    slow at present\n");
	if (*dir->reason)
		print_reason(dir->reason);
	else if (dir->state != FTUN_NL_STATE_ARMED)
		printf("    %s\n", waiting(dir));
	if (*dir->passed)
		print_passed(dir);
	if (dir->slow_len)
		print_mismatch(dir);
}

static void explain_dir_json(const char *key, const struct dir *dir)
{
	json_open(key, '{');
	json_bool("fast", dir_is_fast(dir));
	json_str("state", state_name(dir->state));
	json_num("since_ms", dir->since);
	tuple_json("tuple", &dir->tuple);
	reason_json(dir->reason);
	if (*dir->passed) {
		json_open("passed", '{');
		json_num("ago_ms", dir->ago);
		reason_json(dir->passed);
		json_close('}');
	}
	if (dir->slow_len) {
		json_hex("slow_bytes", dir->slow, dir->slow_len);
		json_hex("fast_bytes", dir->fast, dir->slow_len);
	}
	json_close('}');
}

static void explain_flow_json(const struct flow *flow)
{
	json_open(NULL, '{');
	json_bool("known", flow->id);
	if (flow->id) {
		json_num("id", flow->id);
		explain_dir_json("original", &flow->dir[0]);
		explain_dir_json("reply", &flow->dir[1]);
	}
	reason_json(flow->reason);
	packet_reasons_json();
	json_close('}');
}

static void explain_flow(const struct flow *flow)
{
	if (flow->id) {
		printf("connection %llu\n", (unsigned long long)flow->id);
		explain_dir(flow, 0);
		explain_dir(flow, 1);
		print_packet_reasons();
		return;
	}
	printf("slow: conntrack knows the connection, the module does not\n");
	if (*flow->reason)
		print_reason(flow->reason);
	else
		printf("    no packet of it was seen to be forwarded into or out of a tunnel since it\n"
		       "    was answered: does it use one, and does it still have traffic?\n");
	print_packet_reasons();
}

static int on_flow(const struct nlmsghdr *nlh, void *data)
{
	flow_read(data, nlh);
	return MNL_CB_OK;
}

static int why_tuple(struct nl *nl, int argc, char **argv)
{
	static struct flow flow;
	struct nlmsghdr *nlh = nl_request(nl, FTUN_CMD_FLOW_GET, false);

	if (tuple_put(nlh, argc, argv))
		return EXIT_USAGE;
	if (nl_talk(nl, nlh, on_flow, &flow))
		return EXIT_KERNEL;
	if (options.json)
		explain_flow_json(&flow);
	else
		explain_flow(&flow);
	return EXIT_OK;
}

/**
 * struct tally - how often directions in a tunnel are in a state for a reason
 * @count: how many different ones
 * @rows:  each
 */
struct tally {
	unsigned int	count;
	struct {
		uint32_t	state;
		char		reason[32];
		uint64_t	number;
	} rows[256];
	uint32_t	ifindex;
};

/* Why it is not fast at present, or "" */
static const char *dir_reason(const struct dir *dir)
{
	if (*dir->reason || dir_is_fast(dir))
		return dir->reason;
	return dir->passed;
}

static void tally_dir(struct tally *tally, const struct dir *dir)
{
	const char *reason = dir_reason(dir);
	unsigned int i;

	if (dir->in != tally->ifindex && dir->out != tally->ifindex)
		return;
	for (i = 0; i < tally->count; i++)
		if (tally->rows[i].state == dir->state &&
		    !strcmp(tally->rows[i].reason, reason))
			break;
	if (i == sizeof(tally->rows) / sizeof(tally->rows[0]))
		return;
	if (i == tally->count) {
		tally->count++;
		tally->rows[i].state = dir->state;
		snprintf(tally->rows[i].reason, sizeof(tally->rows[i].reason),
			 "%s", reason);
	}
	tally->rows[i].number++;
}

static int on_tunnel_flow(const struct nlmsghdr *nlh, void *data)
{
	static struct flow flow;

	flow_read(&flow, nlh);
	tally_dir(data, &flow.dir[0]);
	tally_dir(data, &flow.dir[1]);
	return MNL_CB_OK;
}

static int tally_read(struct nl *nl, struct tally *tally)
{
	struct nlmsghdr *nlh = nl_request(nl, FTUN_CMD_FLOW_GET, true);
	struct nlattr *nest = mnl_attr_nest_start(nlh, FTUN_A_FLOW_FILTER);

	mnl_attr_put_u32(nlh, FTUN_A_FILTER_TUNNEL, tally->ifindex);
	mnl_attr_nest_end(nlh, nest);
	return nl_talk(nl, nlh, on_tunnel_flow, tally);
}

static void tally_json(const struct tally *tally)
{
	json_open("directions", '[');
	for (unsigned int i = 0; i < tally->count; i++) {
		json_open(NULL, '{');
		json_str("state", state_name(tally->rows[i].state));
		json_num("count", tally->rows[i].number);
		reason_json(tally->rows[i].reason);
		json_close('}');
	}
	json_close(']');
}

static void tally_print(const struct tally *tally)
{
	for (unsigned int i = 0; i < tally->count; i++) {
		printf("  %llu direction%s %s\n",
		       (unsigned long long)tally->rows[i].number,
		       tally->rows[i].number == 1 ? "" : "s",
		       state_name(tally->rows[i].state));
		if (*tally->rows[i].reason)
			print_reason(tally->rows[i].reason);
	}
}

static void nothing_seen(struct nl *nl)
{
	static struct settings set;

	if (settings_read(nl, false, &set))
		return;
	if (!set.armed || !set.module_armed)
		printf("  nothing is learned: not armed (flowtun show)\n");
	else
		printf("  no connection in it is known. Is there any, has it been answered, and does\n"
		       "  conntrack see it? (flowtun check)\n");
}

static int why_tunnel(struct nl *nl, const char *name)
{
	static struct tally tally;
	struct tunnel tunnel;
	int err = tunnel_get(nl, name, &tunnel);

	if (err == -ENODEV)
		return misuse("%s is neither a tuple nor a tunnel device", name);
	if (err) {
		fprintf(stderr, "flowtun: %s: %s\n", name, strerror(-err));
		return EXIT_KERNEL;
	}
	tally.ifindex = tunnel.ifindex;
	if (tally_read(nl, &tally))
		return EXIT_KERNEL;
	if (options.json) {
		json_open(NULL, '{');
		json_str("tunnel", tunnel.name);
		json_bool("fast", tunnel.armed);
		reason_json(tunnel.reason);
		tally_json(&tally);
		packet_reasons_json();
		json_close('}');
		return EXIT_OK;
	}
	tunnels_head();
	tunnel_print(&tunnel);
	if (*tunnel.reason)
		print_reason(tunnel.reason);
	tally_print(&tally);
	if (!tally.count && !*tunnel.reason)
		nothing_seen(nl);
	print_packet_reasons();
	return EXIT_OK;
}

int cmd_why(int argc, char **argv)
{
	struct nl *nl;

	if (!argc)
		return misuse("why what? tcp|udp SRC:PORT DST:PORT, or a tunnel device");
	if (!is_tuple(argc, argv) && argc != 1)
		return misuse("a tuple is: tcp|udp SRC:PORT DST:PORT [zone N]");
	nl = nl_get();
	if (!nl || stats_read(nl, &stats))
		return EXIT_KERNEL;
	return is_tuple(argc, argv) ? why_tuple(nl, argc, argv)
				    : why_tunnel(nl, argv[0]);
}

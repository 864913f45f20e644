// SPDX-License-Identifier: GPL-2.0
/* flowtun flows, delete, flush */
#include <string.h>

#include "filter.h"
#include "flow.h"
#include "flowtun.h"
#include "json.h"

static int on_flow(const struct nlmsghdr *nlh, void *data)
{
	struct flow flow;

	(void)data;
	flow_read(&flow, nlh);
	if (options.json) {
		flow_json(&flow);
		return MNL_CB_OK;
	}
	printf("%s id %llu", flow.dir[0].tuple.proto == IPPROTO_TCP ? "tcp" : "udp",
	       (unsigned long long)flow.id);
	if (flow.ct_mark)
		printf(" mark 0x%x", flow.ct_mark);
	if (flow.zone)
		printf(" zone %u", flow.zone);
	putchar('\n');
	dir_print(&flow, 0);
	dir_print(&flow, 1);
	return MNL_CB_OK;
}

int cmd_flows(int argc, char **argv)
{
	struct nl *nl = nl_get();
	struct nlmsghdr *nlh;
	int err;

	if (!nl)
		return EXIT_KERNEL;
	nlh = nl_request(nl, FTUN_CMD_FLOW_GET, true);
	if (filter_put(nlh, argc, argv))
		return EXIT_USAGE;
	if (options.json)
		json_open(NULL, '[');
	err = nl_talk(nl, nlh, on_flow, NULL);
	if (options.json)
		json_close(']');
	return err ? EXIT_KERNEL : EXIT_OK;
}

static int on_count(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[FTUN_A_FLOW_MAX + 1];
	uint32_t *count = data;

	nl_parse(nlh, tb, FTUN_A_FLOW_MAX);
	*count = nl_u32(tb[FTUN_A_FLOW_COUNT]);
	return MNL_CB_OK;
}

static int delete(struct nl *nl, struct nlmsghdr *nlh)
{
	uint32_t count = 0;

	if (nl_talk(nl, nlh, on_count, &count))
		return EXIT_KERNEL;
	if (options.json) {
		json_open(NULL, '{');
		json_num("deleted", count);
		json_close('}');
	} else {
		printf("%u deleted\n", count);
	}
	return EXIT_OK;
}

int cmd_flush(int argc, char **argv)
{
	struct nl *nl = nl_get();
	struct nlmsghdr *nlh;

	(void)argv;
	if (argc)
		return misuse("flush takes no arguments; see delete");
	if (!nl)
		return EXIT_KERNEL;
	nlh = nl_request(nl, FTUN_CMD_FLOW_DEL, false);
	mnl_attr_put(nlh, FTUN_A_FLOW_ALL, 0, NULL);
	return delete(nl, nlh);
}

static int put_id(struct nlmsghdr *nlh, int argc, char **argv)
{
	uint64_t id;

	if (argc != 2 || !read_number(argv[1], UINT64_MAX, &id))
		return misuse("id: which number?");
	mnl_attr_put_u64(nlh, FTUN_A_FLOW_ID, id);
	return EXIT_OK;
}

int cmd_delete(int argc, char **argv)
{
	struct nl *nl = nl_get();
	struct nlmsghdr *nlh;
	int code;

	if (!argc)
		return misuse("delete which? an id, a tuple or a filter; or flush");
	if (!nl)
		return EXIT_KERNEL;
	nlh = nl_request(nl, FTUN_CMD_FLOW_DEL, false);
	if (!strcmp(argv[0], "id"))
		code = put_id(nlh, argc, argv);
	else if (is_tuple(argc, argv))
		code = tuple_put(nlh, argc, argv);
	else
		code = filter_put(nlh, argc, argv);
	return code ? code : delete(nl, nlh);
}

// SPDX-License-Identifier: GPL-2.0
/* flowtun top: the busiest connections, live. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include "flow.h"
#include "flowtun.h"
#include "json.h"

#define LINES_DEFAULT	24
/* Lines that are not connections. */
#define LINES_OTHER	3

/**
 * struct seen - a connection's counters when they were last looked at
 * @id:      which connection
 * @packets: of both directions
 * @bytes:   likewise
 */
struct seen {
	uint64_t	id;
	uint64_t	packets;
	uint64_t	bytes;
};

/**
 * struct busy - a connection and how fast it is now
 * @flow:    the connection
 * @packets: per second
 * @bytes:   per second
 */
struct busy {
	struct flow	flow;
	double		packets;
	double		bytes;
};

/**
 * struct top - what is on the screen
 * @old:       all connections at the last look, by id
 * @old_count: how many
 * @new:       all connections now, by id: that is how a dump comes
 * @new_count: how many
 * @new_room:  for how many there is room
 * @busy:      the busiest, the busiest first
 * @count:     how many of them
 * @lines:     room in @busy
 * @seconds:   since the last look
 */
struct top {
	struct seen	*old;
	size_t		old_count;
	struct seen	*new;
	size_t		new_count;
	size_t		new_room;
	struct busy	*busy;
	size_t		count;
	size_t		lines;
	double		seconds;
	bool		no_memory;
};

static int compare_ids(const void *a, const void *b)
{
	const struct seen *left = a, *right = b;

	return left->id < right->id ? -1 : left->id > right->id;
}

static bool remember(struct top *top, const struct seen *seen)
{
	size_t room = top->new_room ? 2 * top->new_room : 1024;
	struct seen *more;

	if (top->new_count == top->new_room) {
		more = realloc(top->new, room * sizeof(*more));
		if (!more)
			return false;
		top->new = more;
		top->new_room = room;
	}
	top->new[top->new_count++] = *seen;
	return true;
}

/* Counters begin again when a direction does: what is less than before is all new. */
static double rate(const struct top *top, uint64_t now, uint64_t before)
{
	return (now >= before ? now - before : now) / top->seconds;
}

static void insert(struct top *top, const struct flow *flow, double packets,
		   double bytes)
{
	size_t at = top->count;

	while (at && top->busy[at - 1].bytes < bytes)
		at--;
	if (at == top->lines)
		return;
	if (top->count < top->lines)
		top->count++;
	memmove(&top->busy[at + 1], &top->busy[at],
		(top->count - at - 1) * sizeof(top->busy[0]));
	top->busy[at] = (struct busy) { *flow, packets, bytes };
}

static int on_flow(const struct nlmsghdr *nlh, void *data)
{
	static const struct seen nothing;
	static struct flow flow;
	const struct seen *before;
	struct top *top = data;
	struct seen now;

	flow_read(&flow, nlh);
	now.id = flow.id;
	now.packets = flow.dir[0].packets + flow.dir[1].packets;
	now.bytes = flow.dir[0].bytes + flow.dir[1].bytes;
	if (!remember(top, &now)) {
		top->no_memory = true;
		return MNL_CB_ERROR;
	}
	before = bsearch(&now, top->old, top->old_count, sizeof(now), compare_ids);
	if (!before)
		before = &nothing;
	if (top->seconds > 0 && now.packets != before->packets)
		insert(top, &flow, rate(top, now.packets, before->packets),
		       rate(top, now.bytes, before->bytes));
	return MNL_CB_OK;
}

static double clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int look(struct nl *nl, struct top *top, double *last)
{
	double now = clock_now();

	free(top->old);
	top->old = top->new;
	top->old_count = top->new_count;
	top->new = NULL;
	top->new_count = 0;
	top->new_room = 0;
	top->count = 0;
	top->seconds = *last ? now - *last : 0;
	*last = now;
	if (nl_talk(nl, nl_request(nl, FTUN_CMD_FLOW_GET, true), on_flow, top))
		return EXIT_KERNEL;
	return top->no_memory ? failure("out of memory") : EXIT_OK;
}

static void print_busy(const struct busy *busy)
{
	const struct tuple *tuple = &busy->flow.dir[0].tuple;
	char src[END_SIZE], dst[END_SIZE], packets[HUMAN_SIZE], bits[HUMAN_SIZE];

	printf("%8s %9s  %s %s -> %s  %s %s\n",
	       human(packets, sizeof(packets), busy->packets),
	       human(bits, sizeof(bits), busy->bytes * 8),
	       tuple->proto == IPPROTO_TCP ? "tcp" : "udp",
	       end_text(src, tuple, false), end_text(dst, tuple, true),
	       state_name(busy->flow.dir[0].state),
	       state_name(busy->flow.dir[1].state));
}

static void busy_json(const struct busy *busy)
{
	json_open(NULL, '{');
	json_num("id", busy->flow.id);
	tuple_json("original", &busy->flow.dir[0].tuple);
	json_real("packets_per_second", busy->packets);
	json_real("bytes_per_second", busy->bytes);
	json_close('}');
}

static void draw(const struct top *top)
{
	if (options.json)
		json_open(NULL, '[');
	else if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	if (!options.json)
		printf("%zu connections known, packets on the fast path only\n"
		       "   pkt/s     bit/s\n", top->new_count);
	for (size_t i = 0; i < top->count; i++) {
		if (options.json)
			busy_json(&top->busy[i]);
		else
			print_busy(&top->busy[i]);
	}
	if (options.json)
		json_close(']');
	fflush(stdout);
}

static size_t screen_lines(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_row <= LINES_OTHER)
		return LINES_DEFAULT - LINES_OTHER;
	return size.ws_row - LINES_OTHER;
}

static int watch(struct nl *nl, struct top *top, uint64_t seconds,
		 uint64_t count)
{
	double last = 0;
	int code = look(nl, top, &last);

	for (uint64_t i = 0; !code && (!count || i < count); i++) {
		sleep(seconds);
		code = look(nl, top, &last);
		if (code)
			break;
		draw(top);
		if (ferror(stdout))
			break;
	}
	return code;
}

int cmd_top(int argc, char **argv)
{
	uint64_t seconds = 1, count = 0;
	struct top top = { 0 };
	struct nl *nl;
	int code;

	for (int i = 0; i < argc; i += 2) {
		uint64_t *number = !strcmp(argv[i], "interval") ? &seconds :
				   !strcmp(argv[i], "count") ? &count : NULL;

		if (!number)
			return misuse("top: what is %s?", argv[i]);
		if (i + 1 == argc || !read_number(argv[i + 1], 86400, number) ||
		    !*number)
			return misuse("top: %s: a number from 1 on", argv[i]);
	}
	nl = nl_get();
	if (!nl)
		return EXIT_KERNEL;
	top.lines = screen_lines();
	top.busy = calloc(top.lines + 1, sizeof(*top.busy));
	if (!top.busy)
		return failure("out of memory");
	code = watch(nl, &top, seconds, count);
	free(top.busy);
	free(top.old);
	free(top.new);
	return code;
}

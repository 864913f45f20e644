// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for qemu that counts how often each instruction of the guest's kernel is
 * executed. When the guest executes the no-op of mark.py, what was counted since the last
 * one is appended to a file, as a line "mark" and a line "address times" for each
 * instruction, and counting begins anew. tests/bench/profile builds and reads it.
 *
 * For guests with one CPU. Debian has no package with qemu-plugin.h, so what is used of
 * it is declared here (version 1 of the interface).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT		__attribute__((visibility("default")))
#define INLINE_ADD	0
#define NO_REGISTERS	0

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*cb)(plugin_id id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *to,
						uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int cpu, void *arg), int flags,
					    void *arg);

EXPORT int qemu_plugin_version = 1;

static const unsigned char mark[] = { 0x0f, 0x1f, 0x80, 0x78, 0x56, 0x34, 0x12 };

/* Open addressing; a kernel has fewer instructions that are ever executed. */
#define PLACES	(1u << 22)

static struct place {
	uint64_t address;
	uint64_t times;
} *places;

static FILE *out;

static struct place *place_of(uint64_t address)
{
	uint64_t at = address * 0x9e3779b97f4a7c15 >> 42;

	while (places[at].address && places[at].address != address)
		at = (at + 1) % PLACES;
	places[at].address = address;
	return &places[at];
}

static void write_out(unsigned int cpu, void *arg)
{
	struct place *place;

	(void)cpu;
	(void)arg;
	fputs("mark\n", out);
	for (place = places; place < places + PLACES; place++) {
		if (place->times)
			fprintf(out, "%" PRIx64 " %" PRIu64 "\n", place->address, place->times);
		place->times = 0;
	}
	fflush(out);
}

static int is_mark(const struct qemu_plugin_insn *insn)
{
	return qemu_plugin_insn_size(insn) == sizeof(mark) &&
	       !memcmp(qemu_plugin_insn_data(insn), mark, sizeof(mark));
}

/* The kernel is in the upper half of the address space. */
static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t i, count = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);

		if (address >> 63)
			qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD,
								   &place_of(address)->times, 1);
		else if (is_mark(insn))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, write_out, NO_REGISTERS, NULL);
	}
}

/* One argument: to=PATH */
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "to=", 3))
		return -1;
	out = fopen(argv[0] + 3, "w");
	places = calloc(PLACES, sizeof(*places));
	if (!out || !places)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}

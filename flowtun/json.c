// SPDX-License-Identifier: GPL-2.0
/* Writing JSON, compact or for people. */
#include "json.h"

#include <stdio.h>

#include "flowtun.h"

static int depth;
static bool first = true;

static void newline(void)
{
	if (!options.pretty)
		return;
	putchar('\n');
	for (int i = 0; i < depth; i++)
		fputs("    ", stdout);
}

/* A device's name may be UTF-8, which stays what it is. */
static void quoted(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void begin(const char *key)
{
	if (!first)
		putchar(',');
	first = false;
	if (depth)
		newline();
	if (!key)
		return;
	quoted(key);
	fputs(options.pretty ? ": " : ":", stdout);
}

void json_open(const char *key, char bracket)
{
	begin(key);
	putchar(bracket);
	depth++;
	first = true;
}

void json_close(char bracket)
{
	depth--;
	if (!first)
		newline();
	putchar(bracket);
	first = false;
	if (depth)
		return;
	putchar('\n');
	first = true;
}

void json_str(const char *key, const char *value)
{
	begin(key);
	quoted(value);
}

void json_num(const char *key, uint64_t value)
{
	begin(key);
	printf("%llu", (unsigned long long)value);
}

void json_bool(const char *key, bool value)
{
	begin(key);
	fputs(value ? "true" : "false", stdout);
}

void json_real(const char *key, double value)
{
	begin(key);
	printf("%.6f", value);
}

void json_hex(const char *key, const uint8_t *bytes, unsigned int len)
{
	begin(key);
	putchar('"');
	while (len--)
		printf("%02x", *bytes++);
	putchar('"');
}

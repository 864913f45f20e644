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

/* Bytes of the character that @text begins with; 0 if that is no UTF-8. */
static int utf8_length(const char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *byte = (const unsigned char *)text;
	uint32_t code;
	int len;

	if (*byte < 0x80)
		return 1;
	len = *byte >= 0xf8 ? 0 : *byte >= 0xf0 ? 4 : *byte >= 0xe0 ? 3 : *byte >= 0xc0 ? 2 : 0;
	code = *byte & (0x7f >> len);
	for (int i = 1; i < len; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (byte[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return len;
}

/* A device's name may be UTF-8, which stays what it is, or any bytes, which JSON cannot have:
 * U+FFFD stands for each of those.
 */
static void quoted(const char *text)
{
	putchar('"');
	while (*text) {
		unsigned char c = *text;
		int len = utf8_length(text);

		if (!len)
			fputs("\\ufffd", stdout);
		else if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			printf("\\u%04x", c);
		else
			fwrite(text, 1, len, stdout);
		text += len ? len : 1;
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

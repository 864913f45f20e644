/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FLOWTUN_JSON_H
#define FLOWTUN_JSON_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One JSON value on stdout. @key is NULL inside an array and at the top. Everything
 * that is opened has to be closed; closing the outermost ends the line.
 */
void json_open(const char *key, char bracket);
void json_close(char bracket);
void json_str(const char *key, const char *value);
void json_num(const char *key, uint64_t value);
void json_bool(const char *key, bool value);
void json_real(const char *key, double value);
void json_hex(const char *key, const uint8_t *bytes, unsigned int len);

#endif

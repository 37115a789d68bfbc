/* SPDX-License-Identifier: MIT */
/* A kernel's configuration: see kconfig.h. Pure: the caller reads the file. */
#include <string.h>

#include "../cmdline.h"
#include "kconfig.h"

/* Some bytes of a text that is not ours; none: no bytes pointer. */
struct slice {
	const char *bytes;
	size_t length;
};

/* The longest CONFIG_CMDLINE that is read: twice what any architecture's kernel keeps. */
enum { CMDLINE_LONGEST = 8192 };

static bool equal(struct slice slice, const char *string)
{
	return slice.length == strlen(string) && memcmp(slice.bytes, string, slice.length) == 0;
}

/* What follows NAME= on the line that begins with it. */
static struct slice setting(struct slice config, const char *name)
{
	size_t length = strlen(name);
	size_t at = 0;

	while (at < config.length) {
		const char *line = config.bytes + at;
		const char *newline = memchr(line, '\n', config.length - at);
		size_t end = newline ? (size_t)(newline - line) : config.length - at;

		if (end > length && memcmp(line, name, length) == 0 && line[length] == '=')
			return (struct slice) { line + length + 1, end - length - 1 };
		at += end + 1;
	}
	return (struct slice) { 0 };
}

static bool is_set(struct slice config, const char *name)
{
	return equal(setting(config, name), "y");
}

/* Without the quotes around a string's value. */
static struct slice unquoted(struct slice value)
{
	if (value.length >= 2 && value.bytes[0] == '"' && value.bytes[value.length - 1] == '"')
		return (struct slice) { value.bytes + 1, value.length - 2 };
	return value;
}

/* Is "yama" an element of a list that commas separate? */
static bool names_yama(struct slice list)
{
	size_t start = 0;

	for (size_t i = 0; i <= list.length; i++) {
		if (i < list.length && list.bytes[i] != ',')
			continue;
		if (equal((struct slice) { list.bytes + start, i - start }, "yama"))
			return true;
		start = i + 1;
	}
	return false;
}

/* The value of the last lsm= of a command line; the one before if it has none. */
static struct slice last_lsm(struct slice line, struct slice before)
{
	struct cmdline_word word;
	size_t at = 0;

	while (line.length &&
	       cmdline_next((const unsigned char *)line.bytes, line.length, &at, &word)) {
		struct slice name = { line.bytes + word.name, word.name_end - word.name };

		if (word.value && equal(name, "lsm"))
			before =
			    (struct slice) { line.bytes + word.value, word.value_end - word.value };
	}
	return before;
}

const char *kconfig_judge(const char *config, size_t config_length, const char *line,
			  size_t line_length)
{
	char built_in[CMDLINE_LONGEST];
	struct slice lines = { config, config_length };
	struct slice escaped = unquoted(setting(lines, "CONFIG_CMDLINE"));
	struct slice configured = unquoted(setting(lines, "CONFIG_LSM"));
	struct slice lsm = { 0 };
	struct slice before; /* CONFIG_CMDLINE */
	struct slice behind; /* the line */
	size_t length = 0;

	if (!is_set(lines, "CONFIG_SECURITY_YAMA"))
		return "no CONFIG_SECURITY_YAMA, so it cannot lock; use another kernel";
	for (size_t i = 0; i < escaped.length && length < sizeof built_in; i++) {
		if (escaped.bytes[i] == '\\' && i + 1 < escaped.length)
			i++;
		built_in[length++] = escaped.bytes[i];
	}
	before = (struct slice) { built_in, length };
	behind = (struct slice) { line, line_length };
	if (is_set(lines, "CONFIG_CMDLINE_OVERRIDE") || is_set(lines, "CONFIG_CMDLINE_FORCE"))
		behind.length = 0;
	else if (is_set(lines, "CONFIG_CMDLINE_FROM_BOOTLOADER"))
		before.length = 0;
	if (is_set(lines, "CONFIG_CMDLINE_EXTEND"))
		lsm = last_lsm(before, last_lsm(behind, lsm));
	else
		lsm = last_lsm(behind, last_lsm(before, lsm));
	if (lsm.bytes)
		return names_yama(lsm)
			   ? NULL
			   : "its lsm= leaves yama out, so it cannot lock; add yama there";
	if (configured.bytes && !names_yama(configured))
		return "CONFIG_LSM leaves yama out, so it cannot lock; name yama in an lsm= that "
		       "is "
		       "built in, or use another kernel";
	return NULL;
}

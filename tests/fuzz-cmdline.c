/* SPDX-License-Identifier: MIT */
/*
 * A target for libFuzzer: the reader of command lines beside another one, which cuts a copy of the
 * line into strings as next_arg() and parse_args() of the kernel do. They may differ in nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../src/cmdline.h"

struct argument {
	char *param;
	char *value; /* NULL where there is no '=' */
};

static char *over_spaces(char *text)
{
	return text + strspn(text, "\t\n\v\f\r \xA0");
}

/* Cuts the first argument off and returns what follows it. */
static char *cut(char *text, struct argument *argument)
{
	bool quoted = *text == '"';
	bool in_quote = quoted;
	char *equals = NULL;
	char *end;
	char *next;

	argument->param = text += quoted;
	for (end = text; *end && (in_quote || over_spaces(end) == end); end++) {
		if (*end == '"')
			in_quote = !in_quote;
		if (*end == '=' && end > text && !equals)
			equals = end;
	}
	next = *end ? end + 1 : end;
	*end = '\0';
	argument->value = equals ? equals + 1 : NULL;
	if (equals)
		*equals = '\0';
	if (equals && *argument->value == '"') {
		quoted = true;
		argument->value++;
	}
	if (quoted && end > text && end[-1] == '"')
		end[-1] = '\0';
	return next;
}

static bool same(const char *text, const unsigned char *line, size_t from, size_t to)
{
	return strlen(text) == to - from && !memcmp(text, line + from, to - from);
}

static void expect(bool truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length = size && data[size - 1] == '\n' ? size - 1 : size;
	char *copy = calloc(1, size + 1);
	struct cmdline line = { 0 };
	struct cmdline_word word;
	struct argument argument;
	bool maintenance = false;
	bool assigned = false;
	size_t at = 0;
	size_t end = 0; /* where the kernel's part does: behind its last word, or at a "--" */

	expect(copy != NULL);
	if (length)
		memcpy(copy, data, length);
	for (char *rest = over_spaces(copy); *rest; rest = over_spaces(rest)) {
		const char *start = rest;

		rest = cut(rest, &argument);
		if (!argument.value && !strcmp(argument.param, "--")) {
			end = (size_t)(start - copy);
			break;
		}
		if (!strcmp(argument.param, "maintenance"))
			*(argument.value ? &assigned : &maintenance) = true;
		expect(cmdline_next(data, length, &at, &word));
		expect(same(argument.param, data, word.name, word.name_end));
		expect(!argument.value == !word.value);
		expect(argument.value || !word.value_end);
		if (argument.value)
			expect(same(argument.value, data, word.value, word.value_end));
		end = at;
	}
	expect(!cmdline_next(data, length, &at, &word));
	expect(at == end);
	free(copy);

	for (size_t i = 0; i < size; i++)
		cmdline_feed(&line, data[i]);
	cmdline_end(&line);
	expect(line.maintenance == maintenance);
	expect(line.assigned == assigned);
	return 0;
}

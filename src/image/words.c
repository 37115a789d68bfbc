/* SPDX-License-Identifier: MIT */
/* Questions to a kernel command line, as words.h has them. */
#include <string.h>

#include "../cmdline.h"
#include "words.h"

bool words_next(struct text line, size_t *at, struct word *word)
{
	struct cmdline_word found;

	if (!cmdline_next((const unsigned char *)line.bytes, line.length, at, &found))
		return false;
	word->start = found.start;
	word->end = found.end;
	word->name = (struct text) { line.bytes + found.name, found.name_end - found.name };
	word->assigned = found.value != 0;
	word->value = (struct text) { line.bytes + found.value, found.value_end - found.value };
	return true;
}

bool words_value(struct text line, const char *name, struct text *value)
{
	struct word word;
	bool found = false;

	for (size_t at = 0; words_next(line, &at, &word);) {
		if (!word.assigned || !text_is(word.name, name))
			continue;
		*value = word.value;
		found = true;
	}
	return found;
}

bool words_has(struct text line, const char *name)
{
	struct word word;

	for (size_t at = 0; words_next(line, &at, &word);) {
		if (!word.assigned && text_is(word.name, name))
			return true;
	}
	return false;
}

static void feed(struct cmdline *reader, struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		cmdline_feed(reader, (unsigned char)text.bytes[i]);
}

bool words_take_maintenance(struct text line)
{
	struct cmdline reader = { 0 };

	feed(&reader, line);
	feed(&reader, text_of(" maintenance"));
	cmdline_end(&reader);
	return reader.maintenance;
}

bool words_are_plain(struct text line)
{
	for (size_t i = 0; i < line.length; i++) {
		char byte = line.bytes[i];
		if ((byte < ' ' || byte > '~') && byte != '\t' && byte != '\n')
			return false;
	}
	return true;
}

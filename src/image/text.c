/* SPDX-License-Identifier: MIT */
/* Pieces of text as text.h has them. */
#include <string.h>

#include "text.h"

/* More of a line that somebody else wrote does not help the reader of a report. */
enum { SHOWN = 120 };

struct text text_of(const char *string)
{
	return (struct text) { string, strlen(string) };
}

struct text text_from(struct text text, size_t bytes)
{
	return (struct text) { text.bytes + bytes, text.length - bytes };
}

struct text text_of_node(const struct node *node)
{
	if (!node || !node->content)
		return (struct text) { "", 0 };
	return (struct text) { (const char *)node->content, node->kept };
}

bool text_of_whole(const struct node *node, struct text *text)
{
	*text = text_of_node(node);
	return !node || node->kept == node->size;
}

bool text_line(struct text *rest, struct text *line)
{
	const char *newline;

	if (rest->length == 0)
		return false;
	newline = memchr(rest->bytes, '\n', rest->length);
	line->bytes = rest->bytes;
	line->length = newline ? (size_t)(newline - rest->bytes) : rest->length;
	*rest = text_from(*rest, line->length + (newline != NULL));
	return true;
}

bool text_line_of_systemd(struct text *rest, struct text *line)
{
	size_t length = 0;
	size_t end;

	if (rest->length == 0)
		return false;
	while (length < rest->length && rest->bytes[length] != '\n' &&
	       rest->bytes[length] != '\r' && rest->bytes[length] != '\0')
		length++;
	end = length + (length < rest->length);
	if (end < rest->length && ((rest->bytes[length] == '\r' && rest->bytes[end] == '\n') ||
				   (rest->bytes[length] == '\n' && rest->bytes[end] == '\r')))
		end++;
	*line = (struct text) { rest->bytes, length };
	*rest = text_from(*rest, end);
	return true;
}

bool text_byte_is_any(char byte, const char *bytes)
{
	return byte != '\0' && strchr(bytes, byte);
}

struct text text_strip(struct text text, const char *bytes)
{
	while (text.length > 0 && text_byte_is_any(text.bytes[0], bytes)) {
		text.bytes++;
		text.length--;
	}
	while (text.length > 0 && text_byte_is_any(text.bytes[text.length - 1], bytes))
		text.length--;
	return text;
}

struct text text_trim(struct text text)
{
	return text_strip(text, " \t\r");
}

/* Of bytes: how many at the start are blanks, or are none. */
static size_t span(struct text text, bool blanks)
{
	size_t length = 0;

	while (length < text.length &&
	       (text.bytes[length] == ' ' || text.bytes[length] == '\t') == blanks)
		length++;
	return length;
}

bool text_word(struct text *rest, struct text *word)
{
	*rest = text_from(*rest, span(*rest, true));
	*word = (struct text) { rest->bytes, span(*rest, false) };
	*rest = text_from(*rest, word->length);
	return word->length > 0;
}

bool text_same(struct text one, struct text other)
{
	return one.length == other.length && memcmp(one.bytes, other.bytes, one.length) == 0;
}

bool text_is(struct text text, const char *string)
{
	return text_same(text, text_of(string));
}

bool text_begins(struct text text, const char *string)
{
	size_t length = strlen(string);

	return text.length >= length && memcmp(text.bytes, string, length) == 0;
}

bool text_ends(struct text text, const char *string)
{
	size_t length = strlen(string);

	return text.length >= length &&
	       memcmp(text.bytes + text.length - length, string, length) == 0;
}

bool text_is_any(struct text text, const char *const *strings)
{
	while (*strings && !text_is(text, *strings))
		strings++;
	return *strings != NULL;
}

bool text_begins_any(struct text text, const char *const *strings)
{
	while (*strings && !text_begins(text, *strings))
		strings++;
	return *strings != NULL;
}

bool text_has(struct text text, const char *string)
{
	return memmem(text.bytes, text.length, string, strlen(string)) != NULL;
}

bool text_is_ascii(struct text text)
{
	for (size_t i = 0; i < text.length; i++) {
		if ((unsigned char)text.bytes[i] >= 0x80)
			return false;
	}
	return true;
}

bool text_byte_is_of_word(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '_';
}

bool text_has_word(struct text text, const char *word)
{
	size_t length = strlen(word);
	const char *end = text.bytes + text.length;
	const char *at = text.bytes;

	while ((at = memmem(at, (size_t)(end - at), word, length)) != NULL) {
		bool inside = (at > text.bytes && text_byte_is_of_word(at[-1])) ||
			      (at + length < end && text_byte_is_of_word(at[length]));
		if (!inside)
			return true;
		at += length;
	}
	return false;
}

bool text_has_before_comment(struct text text, const char *word)
{
	struct text line;

	while (text_line(&text, &line)) {
		const char *comment = memchr(line.bytes, '#', line.length);
		if (comment)
			line.length = (size_t)(comment - line.bytes);
		if (text_has_word(line, word))
			return true;
	}
	return false;
}

bool text_is_comment(struct text line)
{
	line = text_trim(line);
	return line.length == 0 || line.bytes[0] == '#' || line.bytes[0] == ';';
}

bool text_goes_on(struct text line)
{
	size_t backslashes = 0;

	while (backslashes < line.length && line.bytes[line.length - 1 - backslashes] == '\\')
		backslashes++;
	return backslashes % 2 == 1;
}

bool text_setting(struct text line, struct text *key, struct text *value)
{
	const char *equals = memchr(line.bytes, '=', line.length);

	if (!equals)
		return false;
	*key = text_trim((struct text) { line.bytes, (size_t)(equals - line.bytes) });
	*value = text_trim(
	    (struct text) { equals + 1, (size_t)(line.bytes + line.length - (equals + 1)) });
	return true;
}

int text_shown(struct text text)
{
	return text.length > SHOWN ? SHOWN : (int)text.length;
}

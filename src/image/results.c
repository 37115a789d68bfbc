/* SPDX-License-Identifier: MIT */
/* What was found, as results.h has it. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "results.h"

enum { TEXT_LONGEST = 1000 };

/* How many bytes at `text` are one character of UTF-8 that may be printed: 0 if they are none. */
static size_t character(const unsigned char *text, unsigned *code)
{
	static const struct {
		size_t length;
		unsigned least;
		unsigned char mask, lead;
	} kinds[] = { { 1, 0, 0x80, 0 },
		      { 2, 0x80, 0xe0, 0xc0 },
		      { 3, 0x800, 0xf0, 0xe0 },
		      { 4, 0x10000, 0xf8, 0xf0 } };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if ((text[0] & kinds[i].mask) != kinds[i].lead)
			continue;
		*code = text[0] & (unsigned char)~kinds[i].mask;
		for (size_t j = 1; j < kinds[i].length; j++) {
			if ((text[j] & 0xc0) != 0x80)
				return 0;
			*code = *code << 6 | (text[j] & 0x3f);
		}
		return *code < kinds[i].least || *code > 0x10ffff ? 0 : kinds[i].length;
	}
	return 0;
}

/* No control, nothing that turns the order of what follows or has no width; nothing that XML cannot
 * hold. */
static bool is_shown(unsigned code)
{
	return code >= ' ' && !(code >= 0x7f && code < 0xa0) && code != 0x61c && code != 0xfeff &&
	       !(code >= 0x200b && code <= 0x200f) && !(code >= 0x2028 && code <= 0x202e) &&
	       !(code >= 0x2066 && code <= 0x2069) && !(code >= 0xd800 && code < 0xe000) &&
	       (code & 0xfffe) != 0xfffe;
}

void results_clean(char *text)
{
	const char *from = text;
	char *to = text;

	while (*from != '\0') {
		unsigned code = 0;
		size_t length = character((const unsigned char *)from, &code);
		if (length == 0) {
			from++;
		} else if (is_shown(code)) {
			memmove(to, from, length);
			to += length;
			from += length;
		} else {
			*to++ = '?';
			from += length;
		}
	}
	*to = '\0';
}

/* A clean copy. Not a byte beyond what it may have, and cut before it is cleaned: half of a
 * character goes. */
static char *clean_copy(struct results *results, const char *text, size_t longest)
{
	char *copy = strndup(text, longest);

	if (copy)
		results_clean(copy);
	else
		results->failed = true;
	return copy;
}

void results_add(struct results *results, enum status status, const char *point, const char *format,
		 ...)
{
	struct result *grown =
	    reallocarray(results->results, results->count + 1, sizeof *results->results);
	char text[TEXT_LONGEST + 1];
	va_list values;

	if (!grown) {
		results->failed = true;
		return;
	}
	va_start(values, format);
	(void)vsnprintf(text, sizeof text, format, values);
	va_end(values);
	results->results = grown;
	grown[results->count] = (struct result) { (unsigned)results->images, status,
						  clean_copy(results, point, TEXT_LONGEST),
						  clean_copy(results, text, TEXT_LONGEST) };
	if (!results->failed)
		results->count++;
}

/* The most serious first. */
static const struct {
	int code;
	const char *words;
} CODES[] = {
	{ 2, "unreadable" }, { 1, "FAIL" },	   { 255, "panicked" }, { 124, "timed out" },
	{ 77, "skipped" },   { 3, "cannot tell" }, { 0, "ok" },
};

enum { CODES_LENGTH = sizeof CODES / sizeof *CODES };

static size_t seriousness(int code)
{
	size_t i = 0;

	while (i < CODES_LENGTH && CODES[i].code != code)
		i++;
	return i < CODES_LENGTH ? i : 0;
}

void results_conclude(struct results *results, const char *image, int code)
{
	struct verdict *grown =
	    reallocarray(results->verdicts, results->images + 1, sizeof *results->verdicts);
	size_t i = seriousness(code);

	if (!grown) {
		results->failed = true;
		return;
	}
	results->verdicts = grown;
	grown[results->images] = (struct verdict) { clean_copy(results, image, strlen(image)),
						    CODES[i].code, CODES[i].words };
	if (!results->failed)
		results->images++;
}

static void free_result(struct result *result)
{
	free(result->point);
	free(result->text);
}

void results_free(struct results *results)
{
	for (size_t i = 0; i < results->count; i++)
		free_result(&results->results[i]);
	for (size_t i = 0; i < results->images; i++)
		free(results->verdicts[i].image);
	free(results->results);
	free(results->verdicts);
}

static const char STATUSES[][5] = { "ok", "FAIL", "warn", "n/a" };

const char *results_status(enum status status)
{
	return STATUSES[status];
}

int results_status_of(const char *word)
{
	for (int i = 0; i < (int)(sizeof STATUSES / sizeof *STATUSES); i++) {
		if (strcmp(STATUSES[i], word) == 0)
			return i;
	}
	return -1;
}

size_t results_count(const struct results *results, size_t image, enum status status)
{
	size_t count = 0;

	for (size_t i = 0; i < results->count; i++)
		count += results->results[i].image == image && results->results[i].status == status;
	return count;
}

void results_drop(struct results *results)
{
	while (results->count > 0 && results->results[results->count - 1].image == results->images)
		free_result(&results->results[--results->count]);
}

char *results_points(const struct results *results, size_t image, enum status status, char *to,
		     size_t size)
{
	size_t at = 0;

	to[0] = '\0';
	for (size_t i = 0; i < results->count; i++) {
		const struct result *result = &results->results[i];
		if (result->image != image || result->status != status || at >= size)
			continue;
		at +=
		    (size_t)snprintf(to + at, size - at, "%s%s", at > 0 ? ", " : "", result->point);
	}
	return to;
}

int results_code(const struct results *results)
{
	size_t worst = CODES_LENGTH - 1;

	for (size_t i = 0; i < results->images; i++) {
		size_t this = seriousness(results->verdicts[i].code);
		worst = this < worst ? this : worst;
	}
	return CODES[worst].code;
}

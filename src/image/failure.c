/* SPDX-License-Identifier: MIT */
/* Reasons as failure.h has them. */
#include <stdarg.h>

#include "failure.h"

bool fail(struct failure *failure, const char *format, ...)
{
	va_list values;

	if (failure->text[0] != '\0')
		return false;
	va_start(values, format);
	(void)vsnprintf(failure->text, sizeof failure->text, format, values);
	va_end(values);
	return false;
}

static bool is_plain(unsigned char byte)
{
	return byte >= ' ' && byte <= '~' && byte != '\\';
}

char *escape(char *to, size_t size, const char *from, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)from[i];
		if (at + (is_plain(byte) ? 1 : 4) >= size)
			break;
		if (is_plain(byte)) {
			to[at++] = (char)byte;
			continue;
		}
		to[at++] = '\\';
		to[at++] = 'x';
		to[at++] = digits[byte >> 4];
		to[at++] = digits[byte & 15];
	}
	if (size > 0)
		to[at] = '\0';
	return to;
}

bool is_written(FILE *file)
{
	(void)fflush(file);
	return !ferror(file);
}

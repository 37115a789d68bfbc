/* SPDX-License-Identifier: MIT */
/* What callers ask of a kernel command line, on top of its one reader, ../cmdline.h. */
#ifndef NOPTRACE_WORDS_H
#define NOPTRACE_WORDS_H

#include "text.h"

/* A word as the kernel reads it: quotes that it drops are gone. */
struct word {
	struct text name;
	struct text value;
	bool assigned;	   /* it has an '=' */
	size_t start, end; /* where it stands in the line, quotes included */
};

/* The next word at or behind *at, which is 0 for the first. False at the end of the kernel's part.
 */
bool words_next(struct text line, size_t *at, struct word *word);

/* The value of the last parameter of that name, which is the one that counts. */
bool words_value(struct text line, const char *name, struct text *value);

/* Whether the bare parameter is there, without '='. */
bool words_has(struct text line, const char *name);

/* Whether `maintenance`, put at the end of this line, would be read: not behind a bare --, and not
 * within an open quote. */
bool words_take_maintenance(struct text line);

/* Whether each boot loader hands on the same line: of bytes that are not printable ASCII, a tab or
 * a newline, some drop some, or some with what follows them, and others make what they were not. */
bool words_are_plain(struct text line);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The grammar of the Linux kernel's command line, and the only reader of it in this tree.
 *
 * The rules are next_arg() and parse_args() of the kernel (lib/cmdline.c, kernel/params.c):
 *   - bytes 9 to 13, 32 and 0xA0 separate words;
 *   - a double quote anywhere in a word switches quoting on or off, and separators inside quotes
 *     belong to the word; there are no single quotes and no escapes; an open quote runs to the end;
 *   - a quote that opens the word is dropped, together with one that is the word's last byte;
 *   - the first '=' that is not the word's first byte ends the parameter's name, and a quote that
 *     opens the value behind it is dropped, together with one that is the word's last byte;
 *   - a bare word "--" ends the kernel's part, what follows belongs to init; so does a NUL.
 */
#ifndef CMDLINE_H
#define CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the byte is one of those between words. */
bool cmdline_separates(unsigned char byte);

/* Where the reader is in a line. All zero is the start of one. */
struct cmdline_place {
	enum { CMDLINE_GAP, CMDLINE_WORD, CMDLINE_OVER } at;
	bool opened; /* this word began with a quote */
	bool quoted; /* an odd number of quotes so far: separators belong to the word */
};

/*
 * Is the bare parameter "maintenance" among the words? A streaming matcher: constant memory, no
 * limit on the line's length, one step for each byte. All zero is the start of a line. Callers read
 * the last two fields only, and only after cmdline_end().
 */
struct cmdline {
	struct cmdline_place place;
	bool newline; /* a '\n' not yet counted: it may be the one that procfs adds */
	unsigned key; /* how far this word agrees with "maintenance" */
	unsigned end; /* how far this word agrees with "--" */

	bool maintenance; /* the bare parameter is there */
	bool assigned;	  /* "maintenance=" is there, which does not count */
};

/* Takes the next byte of /proc/cmdline. Every byte value is allowed, in any number. */
void cmdline_feed(struct cmdline *line, unsigned char byte);

/*
 * Takes the end of /proc/cmdline: a newline that came last is procfs's and not the kernel's, and
 * does not count. Afterwards the answer stands and nothing more may be fed.
 */
void cmdline_end(struct cmdline *line);

/* A word of a line that lies in memory, by offsets: [start, end) as it stands there, quotes
 * included. */
struct cmdline_word {
	size_t start, end;
	size_t name, name_end;	 /* the parameter's name, without quotes that are dropped */
	size_t value, value_end; /* what follows its '='; both 0 where there is none */
};

/*
 * Finds the first word of line[0 .. length) at or behind *at, which is 0 for the first, and moves
 * *at behind it. Returns false, and leaves the word as it was, at the end of the kernel's part: the
 * end of the line, a NUL, or a bare "--", which is then at *at.
 */
bool cmdline_next(const unsigned char *line, size_t length, size_t *at, struct cmdline_word *word);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Pieces of text that somebody else wrote: no NUL at their end, any byte in them. Nothing is
 * copied; a piece is good as long as what it lies in.
 */
#ifndef NOPTRACE_TEXT_H
#define NOPTRACE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "tree.h"

struct text {
	const char *bytes;
	size_t length;
};

struct text text_of(const char *string);

/* Without its first bytes, of which it has so many at least. */
struct text text_from(struct text text, size_t bytes);

/* What is kept of a file's content; nothing of what is no file. */
struct text text_of_node(const struct node *node);

/* All of a file's content, which may be none. False where the tree has kept less than that, which
 * is said in these words. */
#define TEXT_CUT "not looked into, being too large, a module or firmware"
bool text_of_whole(const struct node *node, struct text *text);

/*
 * Takes the next line off `rest`, without the newline at its end; false when nothing is left.
 * Counting the calls gives the line's number.
 */
bool text_line(struct text *rest, struct text *line);

/* The same where systemd reads: a line ends at a CR or a NUL as well, and CR and newline are one
 * end. A shell, and the kernel, go by the newline alone. */
bool text_line_of_systemd(struct text *rest, struct text *line);

/* Whether a byte is one of a string's; a NUL is none. */
bool text_byte_is_any(char byte, const char *bytes);

/* Whether it is a letter, digit or underscore. */
bool text_byte_is_of_word(char byte);

/* Without those of the bytes, a string, that are at both ends. */
struct text text_strip(struct text text, const char *bytes);

/* Without the blanks (space, tab, CR) at both ends: what systemd, and mount(8), take for these. */
struct text text_trim(struct text text);

/* Takes the next of the words between spaces and tabs off `rest`; false when none is left. */
bool text_word(struct text *rest, struct text *word);

bool text_is(struct text text, const char *string);
bool text_begins(struct text text, const char *string);
bool text_ends(struct text text, const char *string);
bool text_has(struct text text, const char *string);
bool text_is_ascii(struct text text);

/* Whether two are the same bytes. */
bool text_same(struct text one, struct text other);

/* The same for any of several strings, of which the last is NULL. */
bool text_is_any(struct text text, const char *const *strings);
bool text_begins_any(struct text text, const char *const *strings);

/* Whether it holds the string with no letter, digit or underscore right before or behind it. */
bool text_has_word(struct text text, const char *word);

/* Whether a line of a script has the word before any '#': for what must be there. For what must not
 * be there is shell_line_with(), as a # within a line need not begin a comment. */
bool text_has_before_comment(struct text text, const char *word);

/* Whether, behind blanks, it is empty or a comment: begins with # or ;. */
bool text_is_comment(struct text line);

/* Whether the next line is a part of it: it ends with a backslash that stands for itself. */
bool text_goes_on(struct text line);

/*
 * Splits KEY=VALUE, as systemd reads a line of a unit: blanks round each go. False if there is no
 * '='.
 */
bool text_setting(struct text line, struct text *key, struct text *value);

/* For "%.*s": the length, and no more than what a line of a report bears. */
int text_shown(struct text text);

#endif

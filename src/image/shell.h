/* SPDX-License-Identifier: MIT */
/*
 * What a shell makes of the lines of a script, as far as it is known here without being one: where
 * it is not sure, these say what is worse.
 */
#ifndef NOPTRACE_SHELL_H
#define NOPTRACE_SHELL_H

#include "text.h"

/* What is behind the last slash of a path. */
const char *shell_base_name(const char *path);

/* Whether a shell, or the loader of what it starts, goes by a variable of this name, or lets nobody
 * set it; but for PATH. */
bool shell_heeds(struct text name);

/* Whether a word is options of a shell that keep no line from being run, but where one fails. */
bool shell_is_option(struct text word);

/* Whether no shell makes anything else of a byte that is in no string. */
bool shell_is_literal(char byte);

/*
 * Splits a line into its words, without their quotes. There are none in one that is empty or a
 * comment. False for what is no single command of words that are meant literally: expansions,
 * patterns, redirections, more commands, a line that goes on, and more or longer words than these.
 * It is a line of its own where the lines before it are such, too.
 */
struct shell_words {
	size_t count;
	char word[24][256];
	size_t name[24]; /* the length of what the word, were it the first, sets; or 0 */
	bool escaped; /* one of them has a backslash, for what is another byte where it is expanded
		       */
};
bool shell_words(struct text line, struct shell_words *words);

/* Whether a shell waits for what is in a line before it reads the next: nothing in it goes on
 * there, it has no & but in &&, redirections and strings, and no expansion but $NAME. */
bool shell_is_whole(struct text line);

/* The commands that go on in the real root; the last is NULL. */
extern const char *const shell_pivots[];

/* The number of the first line of a script that has one of the words, of which the last is NULL; 0
 * if none has. A # within a line need not begin a comment. */
unsigned shell_line_with(struct text script, const char *const *words);

/*
 * The number of the first line of a script that `is` the one, without the blanks around it, and is
 * run whatever those before it did; 0 if none is, or one before it has a here-document, in which it
 * might only be said. What is sourced or evaluated is not known.
 */
unsigned shell_line_of(struct text script, bool (*is)(struct text line));

#endif

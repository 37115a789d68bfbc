/* SPDX-License-Identifier: MIT */
/*
 * What a shell makes of the lines of a script, as far as it is known here without being one: where
 * it is not sure, these say what is worse.
 */
#ifndef NOPTRACE_SHELL_H
#define NOPTRACE_SHELL_H

#include "text.h"

/* Whether a shell runs nothing of a line that goes on no other: it begins with # and has nothing
 * that ends a string, a here-document or an expansion around it, or is expanded in one. */
bool shell_is_comment(struct text line);

/* What is behind the last slash of a path. */
const char *shell_base_name(const char *path);

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
};
bool shell_words(struct text line, struct shell_words *words);

/* The commands that go on in the real root; the last is NULL. */
extern const char *const shell_pivots[];

/* The number of the first line of a script that has one of the words, of which the last is NULL; 0
 * if none has. A # within a line need not begin a comment. */
unsigned shell_line_with(struct text script, const char *const *words);

/*
 * The number of the first line of a script that `is` the one, without the blanks around it, and is
 * run whatever those before it did; 0 if none is, or one before it has a here-document, in which it
 * might only be said.
 */
unsigned shell_line_of(struct text script, bool (*is)(struct text line));

/* Where a script has come to. All zero but for `first` is its start. */
struct shell {
	unsigned depth;	 /* of if, case, loops and braces */
	unsigned parens; /* that are open; a pattern of case has but the other */
	char quote;	 /* of a string that has not ended, or 0 */
	bool joined;	 /* the next line is a part of this one */
	bool pending;	 /* of the command, behind &&, ||, | or a function's () */
	bool chained;	 /* to one of these before it */
	bool first;	 /* the next word is one that a command begins with, */
	bool execs;	 /* or one behind exec, */
	bool lost;	 /* it need not come to any of the lines behind, or read them so */
	char word[16];	 /* and the last one, as far as one that is known may be long */
	size_t length;
};

/* Takes the next line. Here-documents are not known, nor what is sourced or evaluated. */
void shell_feed(struct shell *shell, struct text line);

/* Whether the next line begins a command which is run whatever those before it did. */
bool shell_is_apart(const struct shell *shell);

#endif

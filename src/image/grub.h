/* SPDX-License-Identifier: MIT */
/*
 * A configuration of GRUB, as grub-mkconfig writes it: its tokens, as GRUB's own lexer finds them
 * (grub-core/script/yylex.l), and its entries for a Linux kernel. Nothing is executed or expanded.
 */
#ifndef NOPTRACE_GRUB_H
#define NOPTRACE_GRUB_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* The longest word whose value is kept; a kernel takes no longer command line. */
enum { GRUB_VALUE = 8192 };

enum grub_kind {
	GRUB_END,
	GRUB_WORD,
	GRUB_SEPARATOR, /* a newline or a semicolon */
	GRUB_OPEN,	/* { */
	GRUB_CLOSE,	/* } */
	GRUB_COMMENT,
	GRUB_BAD, /* an open quote, a word that is too long, or a character that GRUB knows none of
		   */
};

struct grub_token {
	enum grub_kind kind;
	size_t start, end;
	bool plain;   /* a word without a quote, a backslash or a variable in it */
	bool expands; /* a word with a variable in it, which counts as empty */
	size_t length;
	char value[GRUB_VALUE]; /* of a word: without its quotes, and a NUL behind it */
};

struct grub_lexer {
	struct text script;
	size_t at;
};

/* The next token, up to GRUB_END or GRUB_BAD, behind which there is none. */
void grub_token(struct grub_lexer *lexer, struct grub_token *token);

/* Whether this word begins a statement of its own, such as `then`: the next word is a command. */
bool grub_leads(const struct grub_token *token);

/* Whether a command of this name loads a Linux kernel. */
bool grub_loads_linux(const char *command);

/* A `menuentry` that loads a Linux kernel and stands in no function; or a function that does; or a
 * command in neither, if it is open. */
struct grub_entry {
	size_t start;	  /* of the word menuentry, or the command */
	size_t body, end; /* between its braces */
	unsigned depth;	  /* how many submenus it is in */
	bool by_10_linux; /* the distribution's own script wrote it */
	bool function;
	bool open; /* one of its command lines has the word, as the kernel reads it, or may have */
	struct text kernel; /* the path of the first one, as it stands there, with its quotes */
};

enum { GRUB_ENTRIES = 1024 };

struct grub_menu {
	struct grub_entry entries[GRUB_ENTRIES];
	size_t count;
	bool bls; /* 10_linux has GRUB take Boot Loader Specification entries, or its kernelopts */
};

/*
 * Finds the entries of a configuration. A section begins with the comment "### BEGIN path ###", as
 * grub-mkconfig writes it. An entry that loads a kernel under Xen, or a UKI, is there only if it is
 * open. False, with the line's number: that line cannot be read.
 */
bool grub_read(struct text script, struct grub_menu *menu, unsigned *line);

#endif

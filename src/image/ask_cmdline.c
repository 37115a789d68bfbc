/* SPDX-License-Identifier: MIT */
/*
 * noptrace-cmdline: reads a kernel command line as the kernel does (../cmdline.h), for shell
 * scripts.
 *
 *     noptrace-cmdline words [LINE]         its words, one on each line, without the quotes
 *     noptrace-cmdline value NAME [LINE]    the value of the last NAME=
 *     noptrace-cmdline has WORD [LINE]      is the bare parameter there?
 *
 * Without LINE it reads stdin, up to a NUL. A newline at the end does not count, and one in quotes
 * is printed as a space. Exits 0: yes; 1: not there; 2: cannot be read or written; 64:
 * usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "words.h"

enum { YES = 0, NO = 1, UNREADABLE = 2, USAGE = 64 };

/* A line has fewer bytes: as many are in no kernel, bootconfig included. */
enum { LONGEST = 1 << 20 };

static void put(struct text text)
{
	for (size_t i = 0; i < text.length; i++)
		(void)putchar(text.bytes[i] == '\n' ? ' ' : text.bytes[i]);
}

static int print_words(struct text line)
{
	struct word word;

	for (size_t at = 0; words_next(line, &at, &word);) {
		put(word.name);
		if (word.assigned) {
			(void)putchar('=');
			put(word.value);
		}
		(void)putchar('\n');
	}
	return YES;
}

static int print_value(struct text line, const char *name)
{
	struct text value;

	if (!words_value(line, name, &value))
		return NO;
	put(value);
	(void)putchar('\n');
	return YES;
}

static int ask(struct text line, char **argv)
{
	if (strcmp(argv[1], "words") == 0)
		return print_words(line);
	if (strcmp(argv[1], "value") == 0)
		return print_value(line, argv[2]);
	return words_has(line, argv[2]) ? YES : NO;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int arguments;
	} calls[] = { { "words", 0 }, { "value", 1 }, { "has", 1 } };
	static char input[LONGEST];

	for (size_t i = 0; argc >= 2 && i < sizeof calls / sizeof *calls; i++) {
		int fixed = 2 + calls[i].arguments;
		struct text line = { input, 0 };
		int code;

		if (strcmp(argv[1], calls[i].name) != 0 || (argc != fixed && argc != fixed + 1))
			continue;
		if (argc == fixed + 1) {
			line = text_of(argv[fixed]);
		} else {
			line.length = fread(input, 1, sizeof input, stdin);
			if (ferror(stdin) || !feof(stdin))
				return UNREADABLE;
			line.length = strnlen(input, line.length);
		}
		if (line.length > 0 && line.bytes[line.length - 1] == '\n')
			line.length--;
		code = ask(line, argv);
		return is_written(stdout) ? code : UNREADABLE;
	}
	(void)fputs("usage: noptrace-cmdline words|value NAME|has WORD [LINE]\n", stderr);
	return USAGE;
}

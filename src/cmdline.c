/* SPDX-License-Identifier: MIT */
/*
 * Reads the kernel's command line the way the kernel reads it; cmdline.h has the rules. Pure: no
 * system call, no libc, no memory but the caller's.
 */
#include <stdbool.h>

#include "cmdline.h"

static const char KEY[] = "maintenance";
static const char END[] = "--";

/*
 * How far a word agrees with a name of a given length: the number of bytes that matched, up to
 * `length`; or all of them and then one quote, which the kernel drops if it ends a word that a
 * quote opened; or not at all.
 */
#define CLOSED(length) ((length) + 1)
#define MISMATCH 255

enum { KEY_LENGTH = sizeof KEY - 1, END_LENGTH = sizeof END - 1 };

static unsigned char advance(const char *name, unsigned char length, unsigned char matched,
			     unsigned char byte)
{
	if (matched < length && (unsigned char)name[matched] == byte)
		return (unsigned char)(matched + 1);
	if (matched == length && byte == '"')
		return (unsigned char)CLOSED(length);
	return MISMATCH;
}

static bool agrees(unsigned char length, unsigned char matched, bool opened)
{
	return matched == length || (opened && matched == CLOSED(length));
}

static bool separates(unsigned char byte)
{
	return (byte >= 9 && byte <= 13) || byte == ' ' || byte == 0xA0;
}

static void end_word(struct cmdline *line)
{
	if (line->at != CMDLINE_WORD)
		return;
	line->at = CMDLINE_GAP;
	if (agrees(KEY_LENGTH, line->key, line->opened))
		line->maintenance = true;
	if (agrees(END_LENGTH, line->end, line->opened))
		line->at = CMDLINE_OVER;
}

static void step(struct cmdline *line, unsigned char byte)
{
	if (line->at == CMDLINE_OVER)
		return;
	if (byte == '\0') {
		end_word(line);
		line->at = CMDLINE_OVER;
		return;
	}
	if (separates(byte) && !(line->at == CMDLINE_WORD && line->quoted)) {
		end_word(line);
		return;
	}
	if (line->at == CMDLINE_GAP) {
		line->at = CMDLINE_WORD;
		line->key = 0;
		line->end = 0;
		line->opened = byte == '"';
		line->quoted = line->opened;
		if (line->opened)
			return;
	} else if (byte == '"') {
		line->quoted = !line->quoted;
	}
	if (byte == '=' && line->key == KEY_LENGTH)
		line->assigned = true;
	line->key = advance(KEY, KEY_LENGTH, line->key, byte);
	line->end = advance(END, END_LENGTH, line->end, byte);
}

void cmdline_feed(struct cmdline *line, unsigned char byte)
{
	if (line->newline)
		step(line, '\n');
	line->newline = byte == '\n';
	if (!line->newline)
		step(line, byte);
}

void cmdline_end(struct cmdline *line)
{
	end_word(line);
	line->at = CMDLINE_OVER;
}

/* SPDX-License-Identifier: MIT */
/* The points wired and order of a hand-made /init. */
#include "points.h"
#include "shell.h"

/* Whether a shell waits for nothing of a line: an & that neither joins commands nor is of a
 * redirection. */
static bool is_left_alone(struct text line)
{
	for (size_t i = 0; i < line.length; i++) {
		if (line.bytes[i] != '&')
			continue;
		if (i + 1 < line.length && line.bytes[i + 1] == '&')
			i++;
		else if (line.bytes[i - 1] != '>' && line.bytes[i - 1] != '<')
			return true;
	}
	return false;
}

unsigned points_handmade_line(struct image *image)
{
	static const char call[] = "/" PROGRAM " apply";
	struct text text = text_of_node(image_file(image, "init"));
	struct shell shell = { .first = true };
	struct text line;

	for (unsigned number = 1; text_line(&text, &line); number++) {
		struct text bare = text_strip(line, " \t");
		if (shell_is_apart(&shell) &&
		    (text_is(bare, call) ||
		     (text_begins(bare, "/" PROGRAM " apply || ") && !is_left_alone(bare))))
			return number;
		/* in a here-document it might only be said */
		if (text_has(line, "<<"))
			return 0;
		shell_feed(&shell, line);
	}
	return 0;
}

/* The first line that might pivot. A # within a line need not begin a comment. */
static unsigned pivot_line(struct text text)
{
	static const char *const words[] = { "switch_root", "run-init", "pivot_root" };
	struct text line;

	for (unsigned number = 1; text_line(&text, &line); number++) {
		for (size_t i = 0; !shell_is_comment(line) && i < sizeof words / sizeof *words;
		     i++) {
			if (text_has_word(line, words[i]))
				return number;
		}
	}
	return 0;
}

/* The program looks for /proc. */
static bool mounts_proc(struct text text, unsigned before)
{
	struct text line;

	for (unsigned number = 1; number < before && text_line(&text, &line); number++) {
		if (!shell_is_comment(line) && text_has_word(line, "mount") &&
		    text_has_word(line, "proc"))
			return true;
	}
	return false;
}

void points_order_handmade(struct image *image)
{
	static const char point[] = "order";
	struct text text = text_of_node(image_file(image, "init"));
	unsigned call = points_handmade_line(image);
	unsigned pivot = pivot_line(text);

	image_is_ours(image, "init");
	if (pivot == 0)
		results_add(image->results, STATUS_FAIL, point,
			    "line %u of /init, in which no switch_root, run-init or pivot_root "
			    "is seen that it would be before; pivot with one of these",
			    call);
	else if (!mounts_proc(text, call))
		results_add(
		    image->results, STATUS_FAIL, point,
		    "line %u of /init, before which no mount of /proc is seen, without which "
		    "the program does not lock; mount it before",
		    call);
	else if (call < pivot)
		results_add(image->results, STATUS_OK, point,
			    "line %u of /init, before the pivot in line %u", call, pivot);
	else
		results_add(image->results, STATUS_FAIL, point,
			    "line %u of /init, after the pivot in line %u; put it before that",
			    call, pivot);
}

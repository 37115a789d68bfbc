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

static bool is_call(struct text line)
{
	static const char call[] = "/" PROGRAM " apply";

	return text_is(line, call) ||
	       (text_begins(line, "/" PROGRAM " apply || ") && !is_left_alone(line));
}

unsigned points_handmade_line(struct image *image)
{
	return shell_line_of(text_of_node(image_file(image, "init")), is_call);
}

/* Whether it is said, as a whole word of a shell. */
static bool says_proc(struct text line)
{
	struct text rest = line;
	struct text word;

	while (text_word(&rest, &word)) {
		if (text_is(text_strip(word, "\"';)}"), "/proc"))
			return true;
	}
	return false;
}

/* The program looks for /proc, which is to be mounted there, and to stay. */
static bool mounts_proc(struct text text, unsigned before)
{
	struct text line;
	bool mounted = false;

	for (unsigned number = 1; number < before && text_line(&text, &line); number++) {
		if (shell_is_comment(line) || !says_proc(line))
			continue;
		mounted =
		    text_has_word(line, "mount") || (mounted && !text_has_word(line, "umount"));
	}
	return mounted;
}

/* On what it is mounted: a folder of the image, or one that /init makes. */
static bool has_proc(struct image *image, struct text text, unsigned before)
{
	static const char *const make[] = { "mkdir", NULL };
	unsigned line = shell_line_with(text, make);

	return image_folder(image, "proc") || (line > 0 && line < before);
}

void points_order_handmade(struct image *image)
{
	static const char point[] = "order";
	static const char *const changes[] = { "chroot", NULL };
	struct text text = text_of_node(image_file(image, "init"));
	unsigned call = points_handmade_line(image);
	unsigned pivot = shell_line_with(text, shell_pivots);
	unsigned change = shell_line_with(text, changes);
	unsigned leaving = change > 0 && change < pivot ? change : pivot;

	image_is_ours(image, "init");
	if (pivot == 0)
		results_add(image->results, STATUS_FAIL, point,
			    "line %u of /init, in which no switch_root, run-init or pivot_root "
			    "is seen that it would be before; pivot with one of these",
			    call);
	else if (!mounts_proc(text, call) || !has_proc(image, text, call))
		results_add(
		    image->results, STATUS_FAIL, point,
		    "line %u of /init, before which no mount of /proc is seen, without which "
		    "the program does not lock; mount it before",
		    call);
	else if (call < leaving)
		results_add(image->results, STATUS_OK, point,
			    "line %u of /init, before the pivot in line %u", call, pivot);
	else
		results_add(image->results, STATUS_FAIL, point,
			    "line %u of /init, after the pivot in line %u; put it before that",
			    call, leaving);
}

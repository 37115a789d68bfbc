/* SPDX-License-Identifier: MIT */
/* The point sysctl: what sets the scope beside noptrace, and to what. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "points.h"
#include "units.h"
#include "words.h"

enum { LOCKED = 3 };

/* Does a value lock: in any of the notations of a number? The kernel takes the first of several, in
 * proc_dointvec_minmax(), and does not read on behind a blank. */
static bool locks(struct text value)
{
	char digits[32];
	size_t length;
	char *end;

	value = text_strip(value, " \t\n\v\f\r\xa0");
	length = value.length < sizeof digits ? value.length : sizeof digits - 1;
	memcpy(digits, value.bytes, length);
	digits[length] = '\0';
	return strtol(digits, &end, 0) == LOCKED && strchr(" \t\n", *end);
}

/* Is that a name of the scope, or a pattern for it? Dots and slashes part its words; of several in
 * a row, or in front, neither the kernel nor systemd makes another name. */
static bool is_scope(struct text name, bool pattern)
{
	char path[64];
	size_t length = 0;
	bool parted = false;

	for (size_t i = 0; i < name.length; i++) {
		if (name.bytes[i] == '.' || name.bytes[i] == '/') {
			parted = length > 0;
			continue;
		}
		/* what a longer pattern is for is not known */
		if (length + 2 >= sizeof path)
			return pattern &&
			       (text_has(name, "*") || text_has(name, "?") || text_has(name, "["));
		if (parted)
			path[length++] = '/';
		parted = false;
		path[length++] = name.bytes[i];
	}
	path[length] = '\0';
	if (pattern)
		return fnmatch(path, "kernel/yama/ptrace_scope", FNM_PATHNAME) == 0;
	return strcmp(path, "kernel/yama/ptrace_scope") == 0;
}

/* sysctl.NAME=VALUE, which the kernel itself obeys, right before /init. */
static bool lines_leave_it(struct image *image)
{
	for (size_t i = 0; i < image->count; i++) {
		const struct line *line = &image->lines[i];
		struct word word;

		for (size_t at = 0; words_next(line->text, &at, &word);) {
			struct text name = word.name;
			if (!word.assigned ||
			    (!text_begins(name, "sysctl.") && !text_begins(name, "sysctl/")))
				continue;
			name = text_from(name, 7);
			if (!is_scope(name, false) || !locks(word.value))
				continue;
			results_add(image->results, STATUS_FAIL, "sysctl",
				    "%s: %.*s=%.*s locks maintenance boots as well; take it out",
				    line->origin, text_shown(word.name), word.name.bytes,
				    text_shown(word.value), word.value.bytes);
			return false;
		}
	}
	return true;
}

const char *const points_sysctl_folders[] = {
	"etc/sysctl.d",	    "run/sysctl.d", "usr/local/lib/sysctl.d",
	"usr/lib/sysctl.d", "lib/sysctl.d", NULL,
};

/* The sysctl.d files in one of them, and whether anything is wrong so far, or which sets a scope.
 */
struct files {
	struct image *image;
	size_t folder;
	bool failed;
	char *setter;
	size_t size;
};

/* Systemd writes what a file says last, but of a name before what any pattern says. So a line that
 * locks is one too many, wherever it stands, and whatever it is that reads it. */
static void look_at(struct files *files, const char *path)
{
	struct text rest;
	struct text line;
	struct text key;
	struct text value;

	if (!image_look(files->image, image_file(files->image, path), &rest)) {
		results_add(files->image->results, STATUS_FAIL, "sysctl",
			    "/%s: " TEXT_CUT "; remove that", path);
		files->failed = true;
		return;
	}
	for (unsigned number = 1; text_line_of_systemd(&rest, &line); number++) {
		if (text_is_comment(line) || !text_setting(line, &key, &value))
			continue;
		if (text_begins(key, "-"))
			key = text_trim(text_from(key, 1));
		/* what others than systemd take for blanks as well */
		if (!is_scope(text_strip(key, " \t\v\f"), true))
			continue;
		(void)snprintf(files->setter, files->size, "%s", path);
		if (!locks(value))
			continue;
		results_add(files->image->results, STATUS_FAIL, "sysctl",
			    "/%s:%u: sets the scope to 3 in maintenance boots as well; remove that",
			    path, number);
		files->failed = true;
		return;
	}
}

static void read_file(void *closure, const struct label *label)
{
	struct files *files = closure;
	char path[UNITS_ROOM];

	if (files->failed || !text_ends(text_of(label->name), ".conf"))
		return;
	for (size_t i = 0; i < files->folder; i++) {
		/* over which systemd mounts */
		if (text_begins(text_of(points_sysctl_folders[i]), "run/"))
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", points_sysctl_folders[i], label->name);
		if (image_at(files->image, path))
			return;
	}
	(void)snprintf(path, sizeof path, "%s/%s", points_sysctl_folders[files->folder],
		       label->name);
	look_at(files, path);
}

void points_sysctl(struct image *image)
{
	static const char point[] = "sysctl";
	char room[UNITS_ROOM];
	char setter[UNITS_ROOM] = "";
	struct files files = { image, 0, false, setter, sizeof setter };

	if (!lines_leave_it(image))
		return;
	if (!points_others(image, true, room, sizeof room)) {
		results_add(image->results, STATUS_FAIL, point,
			    "%s: nothing but noptrace may set the scope; remove that", room);
		return;
	}
	for (; points_sysctl_folders[files.folder]; files.folder++)
		tree_each(image_folder(image, points_sysctl_folders[files.folder]), read_file,
			  &files);
	/* what systemd does not read */
	if (!files.failed && image->init != INIT_SYSTEMD)
		look_at(&files, "etc/sysctl.conf");
	if (files.failed)
		return;
	if (image->init != INIT_SYSTEMD || (!image_file(image, "usr/lib/systemd/systemd-sysctl") &&
					    !image_file(image, "lib/systemd/systemd-sysctl")))
		results_add(image->results, STATUS_NONE, point,
			    "nothing here is known to read sysctl.d, and no file there locks");
	else if (setter[0] == '\0')
		results_add(image->results, STATUS_OK, point, "no sysctl.d file sets the scope");
	else
		results_add(image->results, STATUS_OK, point,
			    "/%s counts in maintenance boots alone", setter);
}

/* SPDX-License-Identifier: MIT */
/* The point sysctl: what sets the scope beside noptrace, and to what. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "points.h"
#include "units.h"
#include "words.h"

enum { LOCKED = 3, ROOM = 2 * UNITS_PATH };

long points_number(struct text value)
{
	char digits[32];
	char *end = digits;
	long number;

	value = text_trim(value);
	if (value.length == 0 || value.length >= sizeof digits)
		return -1;
	memcpy(digits, value.bytes, value.length);
	digits[value.length] = '\0';
	number = strtol(digits, &end, 0);
	return *end == '\0' && number >= 0 ? number : -1;
}

/* Is that a name of the scope, with dots or slashes, or a pattern that has it? */
static bool is_scope(struct text name, bool pattern)
{
	char path[128];

	if (name.length >= sizeof path)
		return false;
	for (size_t i = 0; i < name.length; i++)
		path[i] = name.bytes[i];
	path[name.length] = '\0';
	for (char *dot = path; (dot = strchr(dot, '.')) != NULL;)
		*dot = '/';
	if (pattern)
		return fnmatch(path, "kernel/yama/ptrace_scope", 0) == 0;
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
			name = (struct text) { name.bytes + 7, name.length - 7 };
			if (!is_scope(name, false) || points_number(word.value) != LOCKED)
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

/* The sysctl.d files, and of each the place of its folder among those that there are. */
struct file {
	unsigned place;
	char path[300];
};

struct files {
	struct image *image;
	const char *folder;
	unsigned place;
	struct file *files;
	size_t count;
};

static const char *name_of(const struct file *file)
{
	return strrchr(file->path, '/') + 1;
}

static void add_file(void *closure, const struct label *label)
{
	struct files *files = closure;
	struct file *grown;

	if (!text_ends(text_of(label->name), ".conf"))
		return;
	grown = reallocarray(files->files, files->count + 1, sizeof *grown);
	if (!grown) {
		files->image->no_memory = true;
		return;
	}
	files->files = grown;
	grown = &grown[files->count++];
	grown->place = files->place;
	(void)snprintf(grown->path, sizeof grown->path, "%s/%s", files->folder, label->name);
}

/* By name, and of one name that of the first folder first. */
static int in_order(const void *one, const void *other)
{
	const struct file *a = one;
	const struct file *b = other;
	int names = strcmp(name_of(a), name_of(b));

	return names != 0 ? names : (a->place > b->place) - (a->place < b->place);
}

/* The last of all lines that set the scope, in the order in which systemd-sysctl reads them: its
 * value, and where it is. */
struct last {
	char path[300];
	unsigned line;
	long value;
	struct text text;
};

static void read_file(struct image *image, const char *path, struct last *last)
{
	struct text rest = text_of_node(image_file(image, path));
	struct text line;
	struct text key;
	struct text value;

	for (unsigned number = 1; text_line(&rest, &line); number++) {
		if (text_is_comment(line) || !text_setting(line, &key, &value))
			continue;
		if (text_begins(key, "-"))
			key = text_trim((struct text) { key.bytes + 1, key.length - 1 });
		if (!is_scope(key, true))
			continue;
		(void)snprintf(last->path, sizeof last->path, "%s", path);
		last->line = number;
		last->value = points_number(value);
		last->text = value;
	}
}

static void find_last(struct image *image, struct last *last)
{
	static const char *const folders[] = { "etc/sysctl.d", "run/sysctl.d",
					       "usr/local/lib/sysctl.d", "usr/lib/sysctl.d",
					       "lib/sysctl.d" };
	struct files files = { .image = image };

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		files.folder = folders[i];
		files.place = (unsigned)i;
		tree_each(image_folder(image, folders[i]), add_file, &files);
	}
	if (files.count > 0)
		qsort(files.files, files.count, sizeof *files.files, in_order);
	for (size_t i = 0; i < files.count; i++) {
		/* of one name only the first counts */
		if (i == 0 || strcmp(name_of(&files.files[i - 1]), name_of(&files.files[i])) != 0)
			read_file(image, files.files[i].path, last);
	}
	free(files.files);
}

void points_sysctl(struct image *image)
{
	static const char point[] = "sysctl";
	struct last last = { 0 };
	char room[ROOM];

	if (!lines_leave_it(image))
		return;
	if (!points_others(image, true, room, sizeof room)) {
		results_add(image->results, STATUS_FAIL, point,
			    "%s: nothing but noptrace may set the scope; remove that", room);
		return;
	}
	if (image->init != INIT_SYSTEMD || (!image_file(image, "usr/lib/systemd/systemd-sysctl") &&
					    !image_file(image, "lib/systemd/systemd-sysctl"))) {
		results_add(image->results, STATUS_NONE, point,
			    "nothing in this image reads sysctl.d");
		return;
	}
	find_last(image, &last);
	if (last.path[0] == '\0')
		results_add(image->results, STATUS_OK, point, "no sysctl.d file sets the scope");
	else if (last.value == LOCKED)
		results_add(image->results, STATUS_FAIL, point,
			    "/%s:%u: sets the scope to 3 in maintenance boots as well; remove that",
			    last.path, last.line);
	else
		results_add(image->results, STATUS_OK, point,
			    "/%s counts in maintenance boots alone", last.path);
}

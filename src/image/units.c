/* SPDX-License-Identifier: MIT */
/* systemd's unit files and drop-ins in an image, as units.h has them. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "shell.h"
#include "units.h"

const char *const units_folders[UNITS_FOLDERS] = {
	"etc/systemd/system.control", "run/systemd/system.control",
	"run/systemd/transient",      "run/systemd/generator.early",
	"etc/systemd/system",	      "etc/systemd/system.attached",
	"run/systemd/system",	      "run/systemd/system.attached",
	"run/systemd/generator",      "usr/local/lib/systemd/system",
	"usr/lib/systemd/system",     "lib/systemd/system",
	"run/systemd/generator.late",
};

static bool is_seen(struct image *image, const char *folder)
{
	const struct node *systemd = image_at(image, "lib/systemd/systemd");

	return strncmp(folder, "lib/", 4) != 0 ||
	       (systemd && S_ISREG(systemd->mode) && systemd == image_file(image, "init"));
}

bool units_find(struct image *image, const char *name, char *path)
{
	for (size_t i = 0; i < UNITS_FOLDERS; i++) {
		int length = snprintf(path, UNITS_PATH, "%s/%s", units_folders[i], name);
		if (length < UNITS_PATH && is_seen(image, units_folders[i]) &&
		    image_at(image, path) && !image_is_covered(image, path, TREE_NOFOLLOW))
			return true;
	}
	return false;
}

/* systemd takes no link for a unit that leads to one of another type, and reads the next. */
static bool is_of_other_type(struct image *image, const char *path)
{
	const struct node *link = image_at(image, path);
	const char *type = strrchr(path, '.');
	const char *full = image_path(image, path, TREE_FOLLOW);

	return link && S_ISLNK(link->mode) && strcmp(type, ".conf") != 0 &&
	       !(text_ends(text_of(link->target), type) && full && text_ends(text_of(full), type));
}

/* The search for what is in /lib, or in /lib as well as in /usr/lib. */
struct apart {
	struct image *image;
	const char *folder;
	char *room;
	size_t size;
	bool found;
};

static void look_apart(void *closure, const struct label *label)
{
	struct apart *apart = closure;
	const char *folder = apart->folder;
	char path[2 * UNITS_PATH];
	const struct node *other;
	int length;

	if (apart->found)
		return;
	length = snprintf(path, sizeof path, "usr/%s/%s", folder, label->name);
	other = image_at(apart->image, path);
	/* one that is cut is none of systemd's */
	if (length >= (int)sizeof path || !is_seen(apart->image, folder) ||
	    (other && !S_ISDIR(other->mode))) {
		(void)snprintf(apart->room, apart->size, "/%s", path + strlen("usr/"));
		apart->found = true;
	} else if (other) {
		apart->folder = path + strlen("usr/");
		tree_each(image_folder(apart->image, apart->folder), look_apart, apart);
		apart->folder = folder;
	}
}

bool units_are_apart(struct image *image, char *room, size_t size)
{
	struct apart apart = { image, "lib/systemd/system", room, size, false };

	if (image_folder(image, apart.folder) != image_folder(image, "usr/lib/systemd/system"))
		tree_each(image_folder(image, apart.folder), look_apart, &apart);
	return apart.found;
}

bool units_masks(struct image *image, const char *path)
{
	const struct node *node = image_file(image, path);

	return !node || node->size == 0 || image_is_covered(image, path, TREE_FOLLOW) ||
	       is_of_other_type(image, path);
}

bool units_open(struct image *image, const char *name, struct unit_file *file)
{
	char path[UNITS_PATH];

	*file = (struct unit_file) { .section = text_of("") };
	return units_find(image, name, path) && text_of_whole(image_file(image, path), &file->rest);
}

bool units_line(struct unit_file *file)
{
	while (text_line_of_systemd(&file->rest, &file->line)) {
		struct text line = text_trim(file->line);
		bool header = text_begins(line, "[");

		file->number++;
		file->line = line;
		/* systemd reads none of a file in which one is not UTF-8: where only ASCII is,
		 * all is */
		file->odd = text_goes_on(line) || text_begins(line, "\xef\xbb\xbf") ||
			    (header && !text_ends(line, "]")) ||
			    (!text_is_comment(line) && !text_is_ascii(line));
		if (header)
			file->section = line;
		if (file->odd || !text_is_comment(line))
			return true;
	}
	return false;
}

bool units_is_link(struct image *image, const char *path)
{
	const struct node *node = image_at(image, path);
	char folder[UNITS_PATH];

	(void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
	if (!node || !S_ISLNK(node->mode))
		return false;
	node = image_at(image, folder);
	return node && S_ISDIR(node->mode);
}

bool units_has(struct image *image, const char *name)
{
	char path[UNITS_PATH];

	return units_find(image, name, path) && !units_masks(image, path);
}

/* What may be dropped in to any unit: it says nothing about when, whether and how it starts. */
static bool is_plain(struct text line)
{
	static const char *const keys[] = {
		"Description",	   "Documentation",	     "TimeoutStopSec",
		"TimeoutAbortSec", "TimeoutStopFailureMode", NULL,
	};
	struct text key;
	struct text value;

	line = text_trim(line);
	if (text_is_comment(line) || line.bytes[0] == '[')
		return true;
	if (!text_setting(line, &key, &value))
		return false;
	/* which Fedora sets for all services, and our program does not read */
	if (text_is(key, "Environment"))
		return text_is(text_strip(value, "\""), "SYSTEMD_SLEEP_FREEZE_USER_SESSIONS=0");
	return text_is_any(key, keys);
}

/* What is asked of each drop-in. */
struct look {
	struct image *image;
	const char *folder;
	char *room;
	size_t size;
	bool odd;
};

static void look_at_dropin(void *closure, const struct label *label)
{
	/* of one name, among all folders of a unit, systemd reads the first alone */
	static const char *const ours[] = { "before.conf", "instead.conf", "noptrace.conf", NULL };
	struct look *look = closure;
	char path[2 * UNITS_PATH];
	struct text rest;
	struct text line;

	if (look->odd || !text_ends(text_of(label->name), ".conf"))
		return;
	(void)snprintf(path, sizeof path, "%s/%s", look->folder, label->name);
	if (image_knows(look->image, path, TREE_NOFOLLOW))
		return;
	if (text_is_any(text_of(label->name), ours)) {
		look->odd = true;
		(void)snprintf(look->room, look->size, "/%s: is not noptrace's, and hides that",
			       path);
		return;
	}
	if (!image_look(look->image, image_file(look->image, path), &rest)) {
		look->odd = true;
		(void)snprintf(look->room, look->size, "/%s: " TEXT_CUT, path);
		return;
	}
	for (unsigned number = 1; text_line_of_systemd(&rest, &line); number++) {
		if (is_plain(line))
			continue;
		look->odd = true;
		line = text_trim(line);
		(void)snprintf(look->room, look->size, "/%s:%u: %.*s", path, number,
			       text_shown(line), line.bytes);
		return;
	}
}

static bool is_plain_folder(struct image *image, const char *name, char *room, size_t size)
{
	for (size_t i = 0; i < UNITS_FOLDERS; i++) {
		char path[UNITS_PATH];
		struct look look = { image, path, room, size, false };

		(void)snprintf(path, sizeof path, "%s/%s.d", units_folders[i], name);
		tree_each(image_folder(image, path), look_at_dropin, &look);
		if (look.odd)
			return false;
	}
	return true;
}

static bool is_plain_name(struct image *image, const char *name, char *room, size_t size)
{
	const char *type = strrchr(name, '.') + 1;
	const char *instance = strchr(name, '@');
	size_t stem = instance ? (size_t)(instance - name) : (size_t)(type - 1 - name);
	char other[UNITS_PATH];

	if (!is_plain_folder(image, name, room, size) || !is_plain_folder(image, type, room, size))
		return false;
	if (instance) {
		(void)snprintf(other, sizeof other, "%.*s@.%s", (int)stem, name, type);
		if (!is_plain_folder(image, other, room, size))
			return false;
	}
	for (size_t i = 1; i < stem; i++) {
		if (name[i - 1] != '-')
			continue;
		(void)snprintf(other, sizeof other, "%.*s.%s", (int)i, name, type);
		if (!is_plain_folder(image, other, room, size))
			return false;
		if (!instance)
			continue;
		(void)snprintf(other, sizeof other, "%.*s@.%s", (int)i, name, type);
		if (!is_plain_folder(image, other, room, size))
			return false;
		(void)snprintf(other, sizeof other, "%.*s%s", (int)i, name, instance);
		if (!is_plain_folder(image, other, room, size))
			return false;
	}
	return true;
}

/*
 * Whether a link leads to something of that name, at its end or on the way: systemd before 246
 * takes the names of all links for the unit's. It need not be in a folder of units.
 */
static bool leads_to(struct image *image, const char *link, const char *name)
{
	char path[KERNEL_PATH];
	const struct node *node = image_at(image, link);
	size_t length = strlen(link);

	memcpy(path, link, length + 1);
	for (int i = 0; node && S_ISLNK(node->mode) && i < KERNEL_LINKS; i++) {
		if (strcmp(shell_base_name(node->target), name) == 0)
			return true;
		length = node->target[0] == '/' ? 0 : (size_t)(strrchr(path, '/') + 1 - path);
		/* which nobody writes */
		if (length + strlen(node->target) >= sizeof path)
			return true;
		memcpy(path + length, node->target, strlen(node->target) + 1);
		node = image_at(image, path);
	}
	return false;
}

/* The search for other names of a unit. */
struct aliases {
	struct look look;
	const char *name;
};

static void look_at_alias(void *closure, const struct label *label)
{
	struct aliases *aliases = closure;
	struct look *look = &aliases->look;
	const char *name = aliases->name;
	char path[2 * UNITS_PATH];

	if (look->odd || !S_ISLNK(label->node->mode) || strcmp(label->name, name) == 0 ||
	    !text_ends(text_of(label->name), strrchr(name, '.')))
		return;
	(void)snprintf(path, sizeof path, "%s/%s", look->folder, label->name);
	if (!leads_to(look->image, path, name))
		return;
	if (strcmp(label->name, "default.target") == 0) {
		look->odd = !is_plain_name(look->image, label->name, look->room, look->size);
		return;
	}
	look->odd = true;
	(void)snprintf(look->room, look->size, "/%s: another name", path);
}

/* A link, or a folder of links to what a unit pulls in, which gave other names as well. */
static void look_at_alias_or_folder(void *closure, const struct label *label)
{
	struct aliases *aliases = closure;
	const char *folder = aliases->look.folder;
	char path[2 * UNITS_PATH];

	look_at_alias(aliases, label);
	(void)snprintf(path, sizeof path, "%s/%s", folder, label->name);
	aliases->look.folder = path;
	tree_each(image_folder(aliases->look.image, path), look_at_alias, aliases);
	aliases->look.folder = folder;
}

bool units_are_plain(struct image *image, const char *name, char *room, size_t size)
{
	struct aliases aliases = { { image, NULL, room, size, false }, name };

	if (!is_plain_name(image, name, room, size))
		return false;
	for (size_t i = 0; i < UNITS_FOLDERS; i++) {
		aliases.look.folder = units_folders[i];
		tree_each(image_folder(image, units_folders[i]), look_at_alias_or_folder, &aliases);
	}
	return !aliases.look.odd;
}

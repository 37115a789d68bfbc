/* SPDX-License-Identifier: MIT */
/* What is beside a UKI, as addons.h has it. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "addons.h"
#include "kconfig.h"
#include "uki.h"
#include "words.h"

static bool is_addon(const char *name)
{
	static const char end[] = ".addon.efi";
	size_t length = strlen(name);

	/* the stub does not tell capitals from others */
	return length >= sizeof end && strcasecmp(name + length - (sizeof end - 1), end) == 0;
}

/* What is wrong with a line of which the stub may leave out this part, or those behind it; NULL if
 * nothing. */
static const char *odd_line(const char *text)
{
	if (!words_take_maintenance(text_of(text)))
		return "its command line goes on in the next one, for a bare -- or an open quote; "
		       "end it";
	if (kconfig_leaves_out(text_of(text)))
		return "its lsm= leaves yama out; add it";
	return NULL;
}

/* Its command line; empty if it has none. To be freed; NULL with the reason. */
static char *read_addon(const char *path, struct failure *failure)
{
	static struct source source;
	static struct pe pe;
	const struct pe_section *section;
	char *text = NULL;

	if (!source_open(&source, path, failure))
		return NULL;
	if (!pe_read(&source, &pe, failure) || !uki_is_clear(&source, &pe, failure)) {
		/* which says why */
	} else if (pe_find(&pe, 0, ".initrd") || pe_find(&pe, 0, ".ucode")) {
		(void)fail(failure, "adds to the initramfs what is not looked into; remove it");
	} else if (pe_has_device_tree(&pe)) {
		(void)fail(failure, "adds a device tree, from which a kernel may take words; put "
				    "it into the UKI");
	} else {
		section = pe_find(&pe, 0, ".cmdline");
		text = section ? uki_text(&source, section, UKI_LONGEST, failure) : strdup("");
		if (!text) {
			(void)fail(failure, "no memory");
		} else if (odd_line(text)) {
			(void)fail(failure, "%s", odd_line(text));
			free(text);
			text = NULL;
		}
	}
	source_close(&source);
	return text;
}

/* Puts the line of what the folder has by this name behind the others', in memory of its own. False
 * with the reason, or without one where there is no memory. */
static bool join(const char *folder, const char *name, char **all, struct failure *failure)
{
	struct failure why = { "" };
	char *path = NULL;
	char *text = NULL;
	char *joined = NULL;

	if (!is_addon(name))
		return fail(failure,
			    "%s/%s: no addon; what else is there may be handed to the "
			    "initramfs, and is not looked into; remove it",
			    folder, name);
	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return false;
	text = read_addon(path, &why);
	if (!text)
		(void)fail(failure, "%s: %s", path, why.text);
	else if (strlen(*all) + strlen(text) > UKI_LONGEST)
		(void)fail(failure, "%s: the command lines are too long", folder);
	else if (asprintf(&joined, "%s %s", *all, text) < 0)
		joined = NULL;
	free(path);
	free(text);
	if (!joined)
		return false;
	free(*all);
	*all = joined;
	return true;
}

/* Each of the lines that are there, with this behind it. */
static bool add_joined(struct image *image, const char *all)
{
	for (size_t i = 0, count = image->count; i < count; i++) {
		struct line line = image->lines[i];

		(void)snprintf(line.origin, sizeof line.origin, "%.200s, with its addons",
			       image->lines[i].origin);
		line.last = false;
		if (asprintf(&line.memory, "%.*s%s", (int)line.text.length, line.text.bytes, all) <
		    0)
			return false;
		line.text = text_of(line.memory);
		if (!image_add_line(image, false, &line))
			return false;
	}
	return true;
}

static int is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* The order in which the stub takes them. */
static int by_name(const struct dirent **one, const struct dirent **other)
{
	return strcmp((*one)->d_name, (*other)->d_name);
}

/* Where a boot counter begins in a path, the +3-1 of foo+3-1.efi, and how long it is; or 0. */
static size_t find_counter(const char *path, size_t *length)
{
	static const char digits[] = "0123456789";
	const char *slash = strrchr(path, '/');
	const char *plus = strrchr(slash ? slash : path, '+');
	size_t tries = plus ? strspn(plus + 1, digits) : 0;
	size_t done;

	if (tries == 0)
		return 0;
	*length = 1 + tries;
	done = plus[*length] == '-' ? strspn(plus + *length + 1, digits) : 0;
	if (done > 0)
		*length += 1 + done;
	return plus[*length] == '.' ? (size_t)(plus - path) : 0;
}

static bool add_from(struct image *image, const char *folder, struct failure *failure)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_entry, by_name);
	char *all = strdup("");
	bool ok = all != NULL;

	if (count < 0)
		ok = ok && fail(failure, "%s: %s", folder, strerror(errno));
	for (int i = 0; ok && i < count; i++)
		ok = join(folder, entries[i]->d_name, &all, failure);
	if (ok && count > 0)
		ok = add_joined(image, all);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	free(all);
	return ok || fail(failure, "no memory");
}

/* Adds from the folder of this path, whose name begins at `name`, and may have other capitals: a
 * FAT does not tell them from others. The path becomes that of the folder. */
static bool add_named(struct image *image, char *path, size_t name, struct failure *failure)
{
	struct dirent **entries = NULL;
	char *beside = NULL;
	int count;
	bool ok = true;
	bool found = false;

	if (asprintf(&beside, "%.*s.", (int)name, path) < 0)
		return fail(failure, "no memory");
	count = scandir(beside, &entries, is_entry, by_name);
	if (count < 0)
		ok = fail(failure,
			  "%s: %s; its addons are looked for there: let it be listed, or move the "
			  "image",
			  beside, strerror(errno));
	for (int i = 0; i < count; i++) {
		const char *other = entries[i]->d_name;

		if (strcasecmp(other, path + name) == 0) {
			if (found)
				ok = fail(failure, "%s: on a FAT the same as %s; remove one", path,
					  other);
			found = true;
			memcpy(path + name, other, strlen(other));
		}
		free(entries[i]);
	}
	free(entries);
	free(beside);
	return ok && (!found || add_from(image, path, failure));
}

/* Adds from what is beside an image of this path, without these bytes of it. */
static bool add_of(struct image *image, const char *path, size_t at, size_t length,
		   struct failure *failure)
{
	const char *slash = strrchr(path, '/');
	char *folder = NULL;
	bool ok;

	if (asprintf(&folder, "%.*s%s.extra.d", (int)at, path, path + at + length) < 0)
		return fail(failure, "no memory");
	ok = add_named(image, folder, slash ? (size_t)(slash - path) + 1 : 0, failure);
	free(folder);
	return ok;
}

static bool add_beside(struct image *image, const char *path, struct failure *failure)
{
	size_t length = 0;
	size_t at = find_counter(path, &length);

	return add_of(image, path, 0, 0, failure) &&
	       (at == 0 || add_of(image, path, at, length, failure));
}

bool addons_add(struct image *image, struct failure *failure)
{
	struct stat about;
	char *path;
	bool ok = add_beside(image, image->path, failure);

	if (!ok || lstat(image->path, &about) != 0 || !S_ISLNK(about.st_mode))
		return ok;
	/* a file that is open, and has no name */
	path = realpath(image->path, NULL);
	if (!path)
		return errno == ENOENT || fail(failure, "%s", strerror(errno));
	ok = add_beside(image, path, failure);
	free(path);
	return ok;
}

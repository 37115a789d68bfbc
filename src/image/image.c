/* SPDX-License-Identifier: MIT */
/* An image that is looked at: opening it, and looking things up; image.h has the rules. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "addons.h"
#include "archive.h"
#include "image.h"
#include "kernel.h"
#include "squashed.h"
#include "uki.h"

const struct node *image_at(struct image *image, const char *path)
{
	struct place place;

	return tree_resolve(&image->tree, path, TREE_NOFOLLOW, &place) == 0 ? place.node : NULL;
}

const struct node *image_file(struct image *image, const char *path)
{
	const struct node *node = tree_lookup(&image->tree, path);

	return node && S_ISREG(node->mode) ? node : NULL;
}

const struct node *image_folder(struct image *image, const char *path)
{
	const struct node *node = tree_lookup(&image->tree, path);

	return node && S_ISDIR(node->mode) ? node : NULL;
}

static int by_path(const void *one, const void *other)
{
	return strcmp(one, other);
}

const char *image_path(struct image *image, const char *path, enum tree_follow follow)
{
	static char full[1 + TREE_LONGEST];
	char folder[TREE_LONGEST];
	struct place place;

	if (tree_resolve(&image->tree, path, follow, &place) != 0 || !place.name)
		return NULL;
	(void)snprintf(full, sizeof full, "%s%s/%.*s", place.folder->label ? "/" : "",
		       tree_path(place.folder, folder, sizeof folder), (int)place.length,
		       place.name);
	return full;
}

void image_is_ours(struct image *image, const char *path)
{
	const char *full = image_path(image, path, TREE_NOFOLLOW);
	char *copy;
	char **added;

	if (!full)
		return;
	copy = strdup(full);
	added = copy ? tsearch(copy, &image->ours, by_path) : NULL;
	if (!added)
		image->no_memory = true;
	if (!added || *added != copy)
		free(copy);
}

bool image_knows(struct image *image, const char *path, enum tree_follow follow)
{
	const char *full = image_path(image, path, follow);

	return full && tfind(full, &image->ours, by_path);
}

bool image_look(struct image *image, const struct node *node, struct text *text)
{
	/* what is beyond a bound is refused, whatever else is in it */
	bool whole = text_of_whole(image->tree.exceeded ? NULL : node, text);

	image->looked += text->length;
	if (image->looked > LIMIT_LOOKED)
		image->tree.exceeded = "more than 16 MiB of files by other names of theirs, or in "
				       "folders of which each is looked at";
	return whole;
}

bool image_is_covered(struct image *image, const char *path, enum tree_follow follow)
{
	struct place place;

	return tree_resolve(&image->tree, path, follow, &place) == 0 && place.covered;
}

static void find_mounts(struct tree *tree)
{
	static const char *const mounts[TREE_MOUNTS] = { "dev", "proc", "run", "sys" };

	for (size_t i = 0; i < TREE_MOUNTS; i++)
		tree->mounts[i] = tree_lookup(tree, mounts[i]);
}

bool image_add_line(struct image *image, bool first, const struct line *line)
{
	struct line *grown = reallocarray(image->lines, image->count + 1, sizeof *grown);

	if (!grown) {
		free(line->memory);
		return false;
	}
	image->lines = grown;
	if (first)
		memmove(grown + 1, grown, image->count * sizeof *grown);
	grown[first ? 0 : image->count] = *line;
	image->count++;
	return true;
}

/* The ID= of a profile; `id` stays if it says none. */
static void profile_id(const char *text, char *id, size_t size)
{
	struct text rest = text_of(text);
	struct text line;

	while (text_line(&rest, &line)) {
		line = text_trim(line);
		if (text_begins(line, "ID="))
			(void)snprintf(id, size, "%.*s", text_shown(line) - 3, line.bytes + 3);
	}
}

/* Profile 0 is what everybody has, which boots where there are no profiles. */
static bool add_profile(struct image *image, const struct source *source, unsigned profile,
			struct failure *failure)
{
	const struct pe_section *section = pe_find(&image->pe, profile, ".cmdline");
	const struct pe_section *about = pe_find(&image->pe, profile, ".profile");
	struct line line = { .origin = ".cmdline", .converted = true };
	char id[128] = "";

	if (about) {
		char *text = uki_text(source, about, UKI_LONGEST, failure);
		if (!text)
			return false;
		profile_id(text, id, sizeof id);
		free(text);
	}
	/* without a name it is picked by its number */
	if (profile > 0 && id[0] == '\0')
		(void)snprintf(line.origin, sizeof line.origin, "profile @%u", profile - 1);
	else if (profile > 0)
		(void)snprintf(line.origin, sizeof line.origin, "profile %s", id);
	/* the default one boots without anybody's choice, whatever it is called */
	line.maintenance = strcmp(id, "maintenance") == 0 && profile != PE_DEFAULT_PROFILE;
	line.last = section == uki_last_line(&image->pe);
	line.memory = section ? uki_text(source, section, UKI_LONGEST, failure) : strdup("");
	if (!line.memory)
		return fail(failure, "no memory");
	line.text = text_of(line.memory);
	/* libstub/fdt.c; the stub leaves out blanks at the ends */
	if (pe_has_device_tree(&image->pe) && text_strip(line.text, " \t\r\n").length == 0) {
		free(line.memory);
		return fail(failure, "a device tree, and no .cmdline: a kernel may take its words "
				     "from there, which is not looked into; give it a .cmdline");
	}
	return image_add_line(image, false, &line) || fail(failure, "no memory");
}

/* What a profile brings of its own must be what everybody has: only one initramfs is looked into.
 */
static bool is_one_initramfs(const struct pe *pe, struct failure *failure)
{
	static const char *const names[] = { ".initrd", ".ucode", ".linux" };

	for (unsigned profile = 1; profile <= pe->profiles; profile++) {
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			if (pe_find(pe, profile, names[i]) != pe_find(pe, 0, names[i]))
				return fail(failure,
					    "profile %u has a %s section of its own, which is not "
					    "looked into",
					    profile, names[i]);
		}
	}
	return true;
}

/* The kernel knows it best; not every kind says it. */
static bool read_version(struct image *image, const struct source *source, struct failure *failure)
{
	static struct source kernel;
	const struct pe_section *uname = pe_find(&image->pe, 0, ".uname");
	char *text;

	if (!pe_open(source, pe_find(&image->pe, PE_DEFAULT_PROFILE, ".linux"), &kernel, failure))
		return false;
	kernel_release(&kernel, image->version, sizeof image->version);
	if (image->version[0] != '\0' || !uname)
		return true;
	text = uki_text(source, uname, sizeof image->version - 1, failure);
	if (!text)
		return false;
	(void)snprintf(image->version, sizeof image->version, "%.*s", (int)strcspn(text, "\n"),
		       text);
	free(text);
	return true;
}

/* What the kernel says of itself comes before any file of this machine. */
static bool read_config(struct image *image, const struct source *source, struct failure *failure)
{
	static struct source kernel;
	const struct pe_section *section = pe_find(&image->pe, PE_DEFAULT_PROFILE, ".linux");
	bool opened = pe_open(source, section, &kernel, failure);

	if (opened)
		image->config_memory = kernel_config(&kernel, &image->config);
	if (image->config_memory)
		(void)snprintf(image->config_path, sizeof image->config_path, "IKCONFIG of .linux");
	return opened;
}

static bool is_uki(const struct pe *pe, struct failure *failure)
{
	return (pe_find(pe, 0, ".initrd") && pe_find(pe, 0, ".linux")) ||
	       fail(failure, "a PE file without .linux and .initrd: a kernel, or a UKI without an "
			     "initramfs");
}

static bool add_profiles(struct image *image, const struct source *source, struct failure *failure)
{
	for (unsigned i = image->pe.profiles > 0; i <= image->pe.profiles; i++) {
		if (!add_profile(image, source, i, failure))
			return false;
	}
	return true;
}

bool image_open_uki(struct image *image, struct source *source, struct source *initramfs,
		    struct failure *failure)
{
	const struct pe *pe = &image->pe;

	return pe_read(source, &image->pe, failure) && is_uki(pe, failure) &&
	       uki_is_clear(source, pe, failure) && is_one_initramfs(pe, failure) &&
	       read_version(image, source, failure) && add_profiles(image, source, failure) &&
	       pe_initramfs(source, pe, PE_DEFAULT_PROFILE, initramfs, failure);
}

const char *image_init_name(enum init init)
{
	static const char *const names[] = {
		[INIT_SYSTEMD] = "systemd",
		[INIT_DRACUT] = "dracut",
		[INIT_INITRAMFS_TOOLS] = "initramfs-tools",
		[INIT_HANDMADE] = "hand-made",
	};

	return names[init];
}

static bool has_dracut(struct image *image)
{
	return image_at(image, "usr/lib/dracut") || image_at(image, "lib/dracut");
}

const char *image_description(struct image *image)
{
	if (image->init == INIT_SYSTEMD && has_dracut(image))
		return "dracut, systemd";
	return image->init == INIT_DRACUT ? "dracut, shell" : image_init_name(image->init);
}

/* systemd is known by what /init is, or is called where that leads nowhere; a script of its name is
 * none. */
static enum init find_init(struct image *image)
{
	const struct node *init = tree_lookup(&image->tree, "init");
	const struct node *link = image_at(image, "init");

	if (init && (init == tree_lookup(&image->tree, "usr/lib/systemd/systemd") ||
		     init == tree_lookup(&image->tree, "lib/systemd/systemd")))
		return text_begins(text_of_node(init), "#!") ? INIT_HANDMADE : INIT_SYSTEMD;
	if (!init && link && link->target && text_ends(text_of(link->target), "/systemd"))
		return INIT_SYSTEMD;
	if (image_at(image, "scripts/init-top"))
		return INIT_INITRAMFS_TOOLS;
	if (has_dracut(image))
		return INIT_DRACUT;
	return INIT_HANDMADE;
}

bool image_open(struct image *image, struct failure *failure)
{
	static struct source source;
	static struct source initramfs;
	struct source *opened = &source;
	bool ok;

	if (!tree_init(&image->tree))
		return fail(failure, "no memory");
	if (!source_open(&source, image->path, failure))
		return false;
	image->uki = pe_is(&source, failure);
	if (image->uki)
		opened = &initramfs;
	ok = failure->text[0] == '\0' &&
	     (!image->uki ||
	      (image_open_uki(image, &source, &initramfs, failure) && addons_add(image, failure) &&
	       (image->known->config || read_config(image, &source, failure)))) &&
	     squashed_read(opened, &image->tree, &image->formats, failure);
	source_close(&source);
	if (!ok)
		return false;
	find_mounts(&image->tree);
	image->init = find_init(image);
	return true;
}

void image_close(struct image *image)
{
	tree_free(&image->tree);
	for (size_t i = 0; i < image->count; i++)
		free(image->lines[i].memory);
	tdestroy(image->ours, free);
	free(image->lines);
	free(image->config_memory);
}

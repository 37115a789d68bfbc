/* SPDX-License-Identifier: MIT */
/* An image that is looked at: opening it, and looking things up; image.h has the rules. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive.h"
#include "elf.h"
#include "image.h"
#include "kernel.h"
#include "squashed.h"

/* A line of a UKI's .cmdline is no longer; any kernel's is far shorter. */
enum { LINE_LONGEST = 64 * 1024, PATH_SIZE = 4096 };

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

void image_is_ours(struct image *image, const char *path)
{
	struct place place;
	char folder[PATH_SIZE];
	char *full = NULL;
	char **added;

	if (tree_resolve(&image->tree, path, TREE_NOFOLLOW, &place) != 0 || !place.name)
		return;
	(void)tree_path(place.folder, folder, sizeof folder);
	if (asprintf(&full, "%s/%.*s", folder, (int)place.length, place.name) < 0) {
		image->no_memory = true;
		return;
	}
	added = tsearch(full, &image->ours, by_path);
	if (!added)
		image->no_memory = true;
	if (!added || *added != full)
		free(full);
}

bool image_knows(struct image *image, const char *path)
{
	struct place place;
	char folder[PATH_SIZE];
	char full[2 * PATH_SIZE];

	if (tree_resolve(&image->tree, path, TREE_NOFOLLOW, &place) != 0 || !place.name)
		return false;
	(void)tree_path(place.folder, folder, sizeof folder);
	(void)snprintf(full, sizeof full, "%s/%.*s", folder, (int)place.length, place.name);
	return tfind(full, &image->ours, by_path) != NULL;
}

bool image_is_covered(struct image *image, const char *path)
{
	static const char *const mounts[] = { "dev/", "proc/", "run/", "sys/", NULL };
	struct place place;
	char folder[PATH_SIZE];
	char full[2 * PATH_SIZE];

	if (tree_resolve(&image->tree, path, TREE_FOLLOW, &place) != 0 || !place.name)
		return false;
	(void)snprintf(full, sizeof full, "%s/", tree_path(place.folder, folder, sizeof folder));
	return text_begins_any(text_of(full), mounts);
}

/* Whether an interpreter that is given this runs the script, and all of it: a busybox the name that
 * it has for its shell, and another nothing, or options that change neither. */
static bool runs_all(const char *interpreter, struct text argument)
{
	const char *slash = strrchr(interpreter, '/');

	if (strcmp(slash ? slash + 1 : interpreter, "busybox") == 0)
		return text_is(argument, "sh") || text_is(argument, "ash");
	if (argument.length == 0)
		return true;
	return argument.length > 1 && argument.bytes[0] == '-' &&
	       text_strip(argument, "aefuvx").length == 1;
}

/* The interpreter in the first line of a script, as fs/binfmt_script.c finds it: in the first bytes
 * of the file, of which the last is none of the name. */
static bool script_interpreter(struct text text, char *to, size_t size)
{
	enum { SEEN = 255 };
	const char *start = text.bytes;
	struct text line;
	size_t length = 0;

	if (text.length > SEEN)
		text.length = SEEN;
	(void)text_line(&text, &line);
	line = (struct text) { line.bytes + 2, line.length - 2 };
	while (line.length > 0 && (line.bytes[0] == ' ' || line.bytes[0] == '\t'))
		line = (struct text) { line.bytes + 1, line.length - 1 };
	while (length < line.length && line.bytes[length] != ' ' && line.bytes[length] != '\t')
		length++;
	if (length == 0 || length >= size || line.bytes + length - start == SEEN)
		return false;
	memcpy(to, line.bytes, length);
	to[length] = '\0';
	return runs_all(
	    to, text_strip((struct text) { line.bytes + length, line.length - length }, " \t"));
}

/* The loader that an ELF program names; nothing if it names none. False for a name that the kernel
 * refuses (fs/binfmt_elf.c), or that is too long or too far behind to be seen. */
static bool elf_interpreter(struct text text, const struct elf *elf, char *to, size_t size)
{
	if (!elf->names_loader)
		return true;
	if (elf->loader_size < 2 || elf->loader_size >= size || elf->loader_at > text.length ||
	    elf->loader_size > text.length - elf->loader_at ||
	    text.bytes[elf->loader_at + elf->loader_size - 1] != '\0')
		return false;
	memcpy(to, text.bytes + elf->loader_at, elf->loader_size);
	return true;
}

/* What keeps one file from running; NULL if nothing, with what it is run by in `next`, or "".
 * `loader` is whether it is to run a program, which no script may, and then whether `next` is. */
static const char *cannot_run(const struct node *node, bool *loader, char *next, size_t size)
{
	struct text text = text_of_node(node);
	bool script = text_begins(text, "#!") && !*loader;
	struct elf elf;

	next[0] = '\0';
	*loader = !script;
	if (!node)
		return "not in the image";
	if (!(node->mode & 0111))
		return "not executable";
	if (script)
		return script_interpreter(text, next, size)
			   ? NULL
			   : "names no interpreter that a kernel takes, or passes it what is not "
			     "known";
	if (!elf_read(&elf, (const unsigned char *)text.bytes, text.length))
		return "neither a program nor a script";
	if (!elf_interpreter(text, &elf, next, size))
		return "names no loader that a kernel takes";
	return NULL;
}

const char *image_cannot_run(struct image *image, const char *path, char *room, size_t size)
{
	char next[256];
	char now[PATH_SIZE];
	bool loader = false;

	(void)snprintf(now, sizeof now, "%s", path);
	/* the kernel gives up after five as well */
	for (int i = 0; i < 5; i++) {
		const char *wrong = cannot_run(image_file(image, now), &loader, next, sizeof next);
		if (wrong) {
			(void)snprintf(room, size, "%s: %s", now, wrong);
			return room;
		}
		if (next[0] == '\0')
			return NULL;
		(void)snprintf(now, sizeof now, "%s", next);
	}
	(void)snprintf(room, size, "%s: too many interpreters behind each other", path);
	return room;
}

static bool add_line(struct image *image, const struct line *line)
{
	struct line *grown = reallocarray(image->lines, image->count + 1, sizeof *grown);

	if (!grown)
		return false;
	image->lines = grown;
	grown[image->count++] = *line;
	return true;
}

/* Reads one section as a text, up to a NUL. */
static char *read_section(const struct source *source, const struct pe_section *section,
			  size_t longest, struct failure *failure)
{
	static struct source opened;
	char *text = NULL;
	size_t length;

	if (section->size > longest) {
		(void)fail(failure, "%s has more than %zu bytes", section->name, longest);
		return NULL;
	}
	text = calloc(1, longest + 1);
	if (!text || !pe_open(source, section, &opened, failure)) {
		free(text);
		(void)fail(failure, "no memory");
		return NULL;
	}
	length = source_copy(&opened, 0, text, longest, failure);
	text[length] = '\0';
	if (failure->text[0] == '\0')
		return text;
	free(text);
	return NULL;
}

/* The ID= of a profile; empty if it says none. */
static void profile_id(const char *text, char *id, size_t size)
{
	struct text rest = text_of(text);
	struct text line;

	id[0] = '\0';
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

	if (profile > 0 && about) {
		char *text = read_section(source, about, LINE_LONGEST, failure);
		if (!text)
			return false;
		profile_id(text, id, sizeof id);
		free(text);
	}
	if (profile > 0)
		(void)snprintf(line.origin, sizeof line.origin, "profile %s", id);
	/* the default one boots without anybody's choice, whatever it is called */
	line.maintenance =
	    strcmp(id, "maintenance") == 0 && profile != pe_default_profile(&image->pe);
	line.memory = section ? read_section(source, section, LINE_LONGEST, failure) : strdup("");
	if (!line.memory)
		return fail(failure, "no memory");
	line.text = text_of(line.memory);
	if (add_line(image, &line))
		return true;
	free(line.memory);
	return fail(failure, "no memory");
}

/* What a profile brings of its own must be what everybody has: only one initramfs is looked into.
 */
static bool is_one_initramfs(const struct pe *pe, struct failure *failure)
{
	static const char *const names[] = { ".initrd", ".ucode", ".linux" };

	for (unsigned profile = 0; profile <= pe->profiles; profile++) {
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			if (pe_find(pe, profile, names[i]) != pe_find(pe, 0, names[i]))
				return fail(failure,
					    "profile %u has a %s section of its own, which is not "
					    "looked into",
					    profile, names[i]);
		}
		if (pe_is_twice(pe, profile, ".cmdline") || pe_is_twice(pe, profile, ".initrd") ||
		    pe_is_twice(pe, profile, ".linux"))
			return fail(failure, "a section is there twice: systemd's stubs differ in "
					     "which of them counts");
	}
	return true;
}

/* The kernel knows it best; not every kind says it. */
static bool read_version(struct image *image, const struct source *source, struct failure *failure)
{
	static struct source kernel;
	const struct pe_section *uname = pe_find(&image->pe, 0, ".uname");
	char *text;

	if (!pe_open(source, pe_find(&image->pe, 0, ".linux"), &kernel, failure))
		return false;
	kernel_release(&kernel, image->version, sizeof image->version);
	if (image->version[0] != '\0' || !uname)
		return true;
	text = read_section(source, uname, sizeof image->version - 1, failure);
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

	if (!image->uki || image->known->config)
		return true;
	if (!pe_open(source, pe_find(&image->pe, 0, ".linux"), &kernel, failure))
		return false;
	image->config_memory = kernel_config(&kernel, &image->config);
	if (image->config_memory)
		(void)snprintf(image->config_path, sizeof image->config_path, "IKCONFIG of .linux");
	return true;
}

bool image_open_uki(struct image *image, struct source *source, struct source *initramfs,
		    struct failure *failure)
{
	const struct pe *pe = &image->pe;

	if (!pe_read(source, &image->pe, failure))
		return false;
	if (!pe_find(pe, 0, ".initrd") || !pe_find(pe, 0, ".linux"))
		return fail(failure, "a PE file without .linux and .initrd: a kernel, or a UKI "
				     "without an initramfs");
	if (!is_one_initramfs(pe, failure))
		return false;
	if (!read_version(image, source, failure))
		return false;
	for (unsigned i = pe->profiles > 0; i <= pe->profiles; i++) {
		if (!add_profile(image, source, i, failure))
			return false;
	}
	return pe_initramfs(source, pe, pe_default_profile(pe), initramfs, failure);
}

/* systemd is known by what /init is, or is called where that leads nowhere. */
static enum init find_init(struct image *image)
{
	const struct node *init = tree_lookup(&image->tree, "init");
	const struct node *link = image_at(image, "init");

	if (init && (init == tree_lookup(&image->tree, "usr/lib/systemd/systemd") ||
		     init == tree_lookup(&image->tree, "lib/systemd/systemd")))
		return INIT_SYSTEMD;
	if (!init && link && link->target && text_ends(text_of(link->target), "/systemd"))
		return INIT_SYSTEMD;
	if (image_at(image, "scripts/init-top"))
		return INIT_INITRAMFS_TOOLS;
	if (image_at(image, "usr/lib/dracut") || image_at(image, "lib/dracut"))
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
	     (!image->uki || image_open_uki(image, &source, &initramfs, failure)) &&
	     read_config(image, &source, failure) && squashed_read(opened, &image->tree, failure);
	source_close(&source);
	if (ok)
		image->init = find_init(image);
	return ok;
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

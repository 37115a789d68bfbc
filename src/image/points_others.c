/* SPDX-License-Identifier: MIT */
/*
 * Whatever else in an image names our program, our unit or the scope. Files of noptrace, and what
 * its generators write about it, are known by then; documentation and kernel modules are not looked
 * into, and of a program only whether it names ours.
 */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "elf.h"
#include "points.h"
#include "settings.h"
#include "shell.h"
#include "units.h"

struct search {
	struct image *image;
	bool scope;
	bool found; /* something that is not known; `room` says it */
	char *room;
	size_t size;
	const char *folder; /* of units, that is looked into */
	void *seen;	    /* units that were looked at: a tree of tsearch(3) of nodes */
	void *linked;	    /* files with several names, likewise */
};

static bool say(struct search *search, const char *path, const char *what)
{
	search->found = true;
	(void)snprintf(search->room, search->size, "/%s%s", path, what);
	return false;
}

static bool say_line(struct search *search, const char *path, unsigned number, struct text line)
{
	line = text_trim(line);
	search->found = true;
	(void)snprintf(search->room, search->size, "/%s:%u: %.*s", path, number, text_shown(line),
		       line.bytes);
	return false;
}

static bool is_below(struct text path, const char *folder)
{
	return text_begins(path, folder) && path.length > strlen(folder) &&
	       path.bytes[strlen(folder)] == '/';
}

/* Nothing in these is read by what runs, unless a unit is a link to there, see search_units(); or
 * it is what dracut keeps about how it built the image; or, for sysctl.d, another point's. */
static bool is_left_out(struct text path)
{
	static const char *const folders[] = {
		"usr/share/doc/",
		"usr/share/man/",
		"usr/share/licenses/",
		"usr/share/lintian/",
		"var/lib/apt/",
		"var/log/",
		"usr/lib/modules/",
		"lib/modules/",
		"var/lib/dpkg/",
		"usr/lib/sysimage/",
		"var/lib/rpm/",
		"usr/share/doc-base/",
		NULL,
	};
	static const char *const dracut[] = { "usr/lib/dracut/", "lib/dracut/" };

	/* the rest of the package: nothing in an initramfs reads these places, and what calls one
	   of these files names it, and is seen */
	static const char *const package[] = {
		"usr/bin/noptrace-image",
		"usr/lib/dracut/dracut.conf.d/zz-noptrace-opt-in.conf",
		"usr/lib/dracut/dracut.conf.d/noptrace.conf", /* its name in 0.2.0 */
		"usr/lib/dracut/modules.d/50noptrace",
		"usr/lib/kernel/install.d/00-noptrace.install",
		"usr/lib/kernel/install.d/20-noptrace.install",
		"usr/lib/kernel/install.d/90-noptrace.install",
		"usr/lib/kernel/install.d/95-noptrace.install",
		"usr/libexec/noptrace",
		"usr/share/bash-completion/completions/noptrace",
		"usr/share/bash-completion/completions/noptrace-image",
		"usr/share/initramfs-tools/hooks/noptrace",
		"usr/share/initramfs-tools/noptrace.conf",
		"usr/share/initramfs-tools/scripts/init-top/00-noptrace",
		"etc/default/grub.d/noptrace.cfg",
		"etc/grub.d/000_noptrace",
		"etc/grub.d/99_noptrace",
	};

	if (text_begins_any(path, folders))
		return true;
	for (size_t i = 0; i < sizeof package / sizeof *package; i++) {
		if (text_is(path, package[i]) || is_below(path, package[i]))
			return true;
	}
	for (size_t i = 0; points_sysctl_folders[i]; i++) {
		if (is_below(path, points_sysctl_folders[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof dracut / sizeof *dracut; i++) {
		struct text rest = path;
		if (!text_begins(path, dracut[i]) || !text_ends(path, ".txt"))
			continue;
		rest.bytes += strlen(dracut[i]);
		rest.length -= strlen(dracut[i]);
		if (!memchr(rest.bytes, '/', rest.length))
			return true;
	}
	return false;
}

bool points_names(struct text text, bool scope)
{
	if (!scope)
		return text_has(text, "noptrace");
	return text_has(text, "ptrace_scope") || text_has(text, "kernel.yama") ||
	       text_has(text, "kernel/yama");
}

/* What systemd reads as a unit, or a folder of that; a generator is none. */
static bool is_unit_path(struct text path)
{
	static const char *const folders[] = {
		"systemd/system/",	   "systemd/system.control/",  "systemd/system.attached/",
		"systemd/transient/",	   "systemd/generator.early/", "systemd/generator/",
		"systemd/generator.late/",
	};

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		if (text_has(path, folders[i]))
			return true;
	}
	return false;
}

/* Units, scripts, and the settings of systemd, udev and others: all of it must be seen. */
static bool is_read_by_somebody(const char *path, struct text text)
{
	static const char *const ends[] = { ".sh", ".rules", ".conf" };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		if (text_ends(text_of(path), ends[i]))
			return true;
	}
	return is_unit_path(text_of(path)) || text_begins(text, "#!");
}

/* Line by line, as one of those reads it that might: a shell, or systemd. Only a unit's comments
 * are known to be none of its business: what a shell takes for one is a matter of all that is
 * before it. */
static bool search_lines(struct search *search, const char *path, struct text text,
			 bool (*next)(struct text *rest, struct text *line))
{
	bool unit = is_unit_path(text_of(path));
	struct setting setting = { 0 };
	struct text line;

	if ((!unit || search->scope) && !points_names(text, search->scope))
		return true;
	for (unsigned number = 1; next(&text, &line); number++) {
		/* an empty line is where one that goes on ends, and a comment is not */
		if (unit && text_is_comment(line) && text_trim(line).length > 0)
			continue;
		if (points_names(line, search->scope) ||
		    (unit && !search->scope && setting_is_against_ours(&setting, line)))
			return say_line(search, path, number, line);
	}
	return true;
}

static int compare(const void *one, const void *other)
{
	return one == other ? 0 : (uintptr_t)one < (uintptr_t)other ? -1 : 1;
}

/* A unit is looked at once, however many names and links it has: unless it is odd, for it may be
 * known by some of them, or there is no memory to know that. */
static bool search_text(struct search *search, const char *path, const struct node *node)
{
	struct text text = text_of_node(node);
	bool unit = is_unit_path(text_of(path));

	if (unit && tfind(node, &search->seen, compare))
		return true;
	if (!search_lines(search, path, text, text_line))
		return false;
	/* which are the same for systemd but for these */
	if ((memchr(text.bytes, '\r', text.length) || memchr(text.bytes, '\0', text.length)) &&
	    !search_lines(search, path, text, text_line_of_systemd))
		return false;
	if (unit)
		(void)tsearch(node, &search->seen, compare);
	return true;
}

static bool search_content(struct search *search, const char *path, const struct node *node,
			   struct text text)
{
	struct elf elf;

	if (!is_read_by_somebody(path, text) &&
	    elf_read(&elf, (const unsigned char *)text.bytes, text.length)) {
		bool odd = !search->scope && (text_has(text, "noptrace-initramfs") ||
					      text_has(text, "sbin/noptrace"));
		if (!odd)
			return true;
		return say(search, path, " names noptrace");
	}
	if (!search->scope && text.length < node->size && is_read_by_somebody(path, text))
		return say(search, path, " is too large to be looked at");
	return search_text(search, path, node);
}

/* What nobody reads for its name is the same by each of them. */
static bool search_file(struct search *search, const char *path, const struct node *node)
{
	struct text text = text_of_node(node);
	bool same = node->names > 1 && !is_read_by_somebody(path, text);
	bool clean;

	if (same && tfind(node, &search->linked, compare))
		return true;
	if (node->names > 1 && !same)
		(void)image_look(search->image, node, &text);
	clean = search_content(search, path, node, text);
	if (clean && same)
		(void)tsearch(node, &search->linked, compare);
	return clean;
}

static bool search_node(void *closure, const char *path, const struct node *node)
{
	struct search *search = closure;
	const char *name = shell_base_name(path);

	if (!search->scope && S_ISLNK(node->mode) &&
	    setting_leads_through_proc(text_of(node->target), true))
		return say(search, path, " is a link through /proc, to what is not seen here");
	if (is_left_out(text_of(path)))
		return true;
	if (!search->scope) {
		if (setting_is_credential(text_of(name)))
			return say(search, path, " is a credential that changes units or files");
		/* what is dropped in is judged by the units that it is for */
		bool dropins = S_ISDIR(node->mode) && is_unit_path(text_of(path)) &&
			       text_ends(text_of(name), ".d");
		bool named = !dropins && strstr(name, "noptrace") != NULL;
		bool leads = node->target && strstr(node->target, "noptrace");

		if ((named || leads) && !image_knows(search->image, path, TREE_NOFOLLOW))
			return say(search, path,
				   leads ? " is a link to noptrace's"
				   : S_ISREG(node->mode)
				       ? " is not a file of noptrace that is known"
				       : " has noptrace's name");
	}
	if (!S_ISREG(node->mode) || node->kept == 0)
		return true;
	if (strcmp(path, "etc/sysctl.conf") == 0)
		return true;
	/* first the search: few files have anything, and a lookup counts as steps */
	search->found =
	    !search_file(search, path, node) && !image_knows(search->image, path, TREE_NOFOLLOW);
	return !search->found;
}

/* systemd.mount(5): a mount's name is its path, which the unit need not say. */
static bool is_mount_over_ours(const char *name)
{
	struct text stem = text_of(name);
	char path[UNITS_PATH] = "/";

	if ((!text_ends(stem, ".mount") && !text_ends(stem, ".automount")) ||
	    stem.length >= sizeof path - 1)
		return false;
	stem.length = (size_t)(strrchr(name, '.') - name);
	for (size_t i = 0; i < stem.length; i++)
		path[i + 1] = name[i];
	for (char *dash = path; (dash = strchr(dash, '-'));)
		*dash = '/';
	return setting_is_over_ours((struct text) { path, stem.length + 1 });
}

static void search_unit(void *closure, const struct label *label)
{
	struct search *search = closure;
	char path[2 * UNITS_PATH];
	const struct node *node;
	struct text text;

	if (search->found)
		return;
	(void)snprintf(path, sizeof path, "%s/%s", search->folder, label->name);
	node = image_file(search->image, path);
	if (!node || node->size == 0)
		return;
	if (!search->scope && is_mount_over_ours(label->name))
		(void)say(search, path, " mounts over what noptrace needs");
	else if (!text_of_whole(node, &text) && !search->scope)
		(void)say(search, path, ": " TEXT_CUT);
	else
		(void)search_text(search, path, node);
	search->found = search->found && !image_knows(search->image, path, TREE_FOLLOW);
}

/* A unit, or a folder of drop-ins or links. */
static void search_unit_or_folder(void *closure, const struct label *label)
{
	struct search *search = closure;
	const char *folder = search->folder;
	char path[2 * UNITS_PATH];

	search_unit(search, label);
	(void)snprintf(path, sizeof path, "%s/%s", folder, label->name);
	search->folder = path;
	tree_each(image_folder(search->image, path), search_unit, search);
	search->folder = folder;
}

/* A word of fstab(5), in which \040 is a blank. Cut, so that it is no path of ours, where it has
 * not the room. */
static const char *unescape(struct text word, char *to, size_t size)
{
	size_t length = 0;

	for (size_t i = 0; i < word.length && length + 1 < size; i++) {
		char digits[4] = "";

		if (word.bytes[i] == '\\' && word.length - i > 3)
			memcpy(digits, word.bytes + i + 1, 3);
		if (strspn(digits, "01234567") == 3) {
			to[length++] = (char)strtoul(digits, NULL, 8);
			i += 3;
		} else {
			to[length++] = word.bytes[i];
		}
	}
	to[length] = '\0';
	return to;
}

/* Whether what is mounted there, or where its links lead, hides what is ours. */
static bool mounts_over(struct image *image, struct text word)
{
	char where[4 * UNITS_PATH];
	const char *full;

	if (setting_is_over_ours(text_of(unescape(word, where, sizeof where))))
		return true;
	full = image_path(image, where, TREE_OPEN);
	return full && setting_is_over_ours(text_of(full));
}

/* Cut, it is not known. */
static bool orders(struct text word)
{
	char options[4 * UNITS_PATH];

	return word.length >= sizeof options ||
	       setting_orders_mount(text_of(unescape(word, options, sizeof options)));
}

/* The second field of a line of /etc/fstab is where it mounts, wherever that leads, and the fourth
 * how. */
static bool meddles(struct image *image, struct text line)
{
	struct text what, where, type, options;

	if (!text_word(&line, &what) || what.bytes[0] == '#' || !text_word(&line, &where))
		return false;
	return mounts_over(image, where) ||
	       (text_word(&line, &type) && text_word(&line, &options) && orders(options));
}

static bool search_fstab(struct search *search)
{
	static const char path[] = "etc/fstab";
	struct text text;
	struct text line;

	if (!text_of_whole(image_file(search->image, path), &text))
		return say(search, path, ": " TEXT_CUT);
	for (unsigned number = 1; text_line(&text, &line); number++) {
		if (meddles(search->image, line))
			return say_line(search, path, number, line);
	}
	return true;
}

static void nothing(void *node)
{
	(void)node;
}

/* What systemd takes for units, wherever in the image a link leads. */
static void search_units(struct search *search)
{
	for (size_t i = 0; i < UNITS_FOLDERS; i++) {
		search->folder = units_folders[i];
		tree_each(image_folder(search->image, search->folder), search_unit_or_folder,
			  search);
	}
}

/* What a line of an LSB header has of X-Start-Before, whose case does not matter; or nothing. */
static struct text started_before(struct text line)
{
	static const char key[] = "x-start-before:";

	while (line.length >= strlen(key) && strncasecmp(line.bytes, key, strlen(key)) != 0)
		line = text_from(line, 1);
	return line.length >= strlen(key) ? text_from(line, strlen(key)) : text_of("");
}

/* A script of SysV's, of which a generator of systemd's makes a unit. */
static void search_script(void *closure, const struct label *label)
{
	struct search *search = closure;
	char path[2 * UNITS_PATH];
	struct text text;
	struct text line;

	if (search->found)
		return;
	(void)snprintf(path, sizeof path, "%s/%s", search->folder, label->name);
	(void)image_look(search->image, image_file(search->image, path), &text);
	while (!search->found && text_line(&text, &line)) {
		struct text names = started_before(line);
		/* a backslash, of which systemd makes nothing here, is in no name of theirs */
		if (setting_names_needed(names) || memchr(names.bytes, '\\', names.length))
			(void)say(search, path, " has X-Start-Before with what noptrace waits for");
	}
}

bool points_others(struct image *image, bool scope, char *room, size_t size)
{
	struct search search = { image, scope, false, room, size, NULL, NULL, NULL };

	if (!tree_visit(&image->tree, search_node, &search) && !search.found)
		image->no_memory = true;
	if (!search.found && (scope || search_fstab(&search)))
		search_units(&search);
	if (!search.found && !scope) {
		search.folder = "etc/init.d";
		tree_each(image_folder(image, search.folder), search_script, &search);
	}
	tdestroy(search.seen, nothing);
	tdestroy(search.linked, nothing);
	return !search.found;
}

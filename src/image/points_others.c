/* SPDX-License-Identifier: MIT */
/*
 * Whatever else in an image names our program, our unit or the scope. Files of noptrace, and what
 * its generators write about it, are known by then; documentation and kernel modules are not looked
 * into, and of a program only whether it names ours.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "elf.h"
#include "points.h"
#include "units.h"

struct search {
	struct image *image;
	bool scope;
	char *room;
	size_t size;
};

static bool say(struct search *search, const char *path, const char *what)
{
	(void)snprintf(search->room, search->size, "/%s%s", path, what);
	return false;
}

static bool say_line(struct search *search, const char *path, unsigned number, struct text line)
{
	line = text_trim(line);
	(void)snprintf(search->room, search->size, "/%s:%u: %.*s", path, number, text_shown(line),
		       line.bytes);
	return false;
}

/* Nothing in these is read by what runs; or it is what dracut keeps about how it built the image;
 * or, for sysctl.d, another point's. */
static bool is_left_out(struct text path)
{
	static const char *const folders[] = {
		"usr/share/doc/", "usr/share/man/",    "usr/share/licenses/", "usr/share/lintian/",
		"var/lib/apt/",	  "var/log/",	       "usr/lib/modules/",    "lib/modules/",
		"var/lib/dpkg/",  "usr/lib/sysimage/", "var/lib/rpm/",	      "usr/share/doc-base/",
	};
	static const char *const dracut[] = { "usr/lib/dracut/", "lib/dracut/" };

	/* the rest of the package: nothing in an initramfs reads these places, and what calls one
	   of these files names it, and is seen */
	static const char *const package[] = {
		"usr/bin/noptrace-image",
		"usr/lib/dracut/dracut.conf.d/noptrace.conf",
		"usr/lib/dracut/modules.d/50noptrace",
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

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		if (text_begins(path, folders[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof package / sizeof *package; i++) {
		size_t length = strlen(package[i]);
		if (text_is(path, package[i]) ||
		    (text_begins(path, package[i]) && path.bytes[length] == '/'))
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
	return text_has(path, "/sysctl.d/");
}

static bool names(struct text text, bool scope)
{
	if (!scope)
		return text_has(text, "noptrace");
	return text_has(text, "ptrace_scope") || text_has(text, "kernel.yama") ||
	       text_has(text, "kernel/yama");
}

/* A path without what makes no difference, as /proc//sys/./ has it, and no longer than `room`,
 * which is longer than all that it is compared with. */
static struct text squeeze(struct text path, char *room, size_t size)
{
	size_t end = 0;
	struct text step;

	while (path.length > 0 && path.bytes[0] == '/') {
		path.bytes++;
		path.length--;
		step = (struct text) { path.bytes, 0 };
		while (step.length < path.length && path.bytes[step.length] != '/')
			step.length++;
		path.bytes += step.length;
		path.length -= step.length;
		if (text_is(step, "..")) {
			while (end > 0 && room[--end] != '/')
				;
		} else if (step.length > 0 && !text_is(step, ".") && end < size) {
			room[end++] = '/';
			step.length = step.length < size - end ? step.length : size - end;
			memcpy(room + end, step.bytes, step.length);
			end += step.length;
		}
	}
	return path.length > 0 ? path : (struct text) { room, end };
}

/* What is mounted there hides the program, or /proc, from our unit. */
static bool is_over_ours(struct text where)
{
	static const char *const exact[] = { "/usr",  "/usr/sbin", "/sbin", "/usr/sbin/noptrace",
					     "/proc", "/proc/sys" };
	char room[64];

	where = squeeze(where, room, sizeof room);
	for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
		if (text_is(where, exact[i]))
			return true;
	}
	return text_begins(where, "/proc/sys/kernel");
}

/* The next of the words between blanks. */
static bool next_word(struct text *rest, struct text *word)
{
	size_t length = 0;

	*rest = text_trim(*rest);
	while (length < rest->length && rest->bytes[length] != ' ' && rest->bytes[length] != '\t')
		length++;
	*word = (struct text) { rest->bytes, length };
	rest->bytes += length;
	rest->length -= length;
	return length > 0;
}

/* Whether a name with specifiers or quotes in it could be that of one of our units. What they stand
 * for is not known here, but what is before the first and behind the last of them is. */
static bool could_be_ours(struct text name)
{
	static const char *const ours[] = {
		UNIT,
		UNIT_LATER,
		UNIT_INSTEAD,
		"noptrace-locked@emergency.target",
		"noptrace-locked@poweroff.target",
		"noptrace-locked@reboot.target",
	};
	size_t first = 0;
	size_t behind = name.length;

	while (first < name.length && !strchr("%\"'", name.bytes[first]))
		first++;
	if (first == name.length)
		return false;
	while (!strchr("%\"'", name.bytes[behind - 1]))
		behind--;
	/* the letter behind a % */
	if (name.bytes[behind - 1] == '%' && behind < name.length)
		behind++;
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		struct text unit = text_of(ours[i]);
		size_t end = name.length - behind;
		if (first <= unit.length && end <= unit.length &&
		    memcmp(unit.bytes, name.bytes, first) == 0 &&
		    memcmp(unit.bytes + unit.length - end, name.bytes + behind, end) == 0)
			return true;
	}
	return false;
}

/* A dependency on what could be one of our units, and is not written out. */
static bool depends_on_ours(struct text key, struct text value)
{
	static const char *const keys[] = {
		"After",
		"Before",
		"BindsTo",
		"Conflicts",
		"JoinsNamespaceOf",
		"OnFailure",
		"OnSuccess",
		"PartOf",
		"PropagatesReloadTo",
		"PropagatesStopTo",
		"Requires",
		"Requisite",
		"StopPropagatedFrom",
		"ReloadPropagatedFrom",
		"Upholds",
		"Wants",
	};
	struct text word;

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (!text_is(key, keys[i]))
			continue;
		while (next_word(&value, &word)) {
			if (could_be_ours(word))
				return true;
		}
	}
	return false;
}

/* A setting of a unit, which goes on in the next line behind a backslash. */
struct setting {
	struct text key;
	bool goes_on;
	bool mounts, ours; /* of a command: it may mount, and names a path of ours */
};

static bool goes_on(struct text line)
{
	size_t backslashes = 0;

	while (backslashes < line.length && line.bytes[line.length - 1 - backslashes] == '\\')
		backslashes++;
	return backslashes % 2 == 1;
}

/* The same of a word of a command. What it mounts from may be /usr, and is no harm. */
static bool is_about_ours(struct text word)
{
	return is_over_ours(word) && !text_is(word, "/usr") && !text_is(word, "/sbin");
}

/* A unit that mounts over it, or runs mount(8) or umount(8) to do so. */
static bool mounts_over(struct setting *setting, struct text value)
{
	size_t length;

	if (text_is(setting->key, "Where"))
		return is_over_ours(value);
	if (!text_begins(setting->key, "Exec"))
		return false;
	setting->mounts =
	    setting->mounts || text_has_word(value, "mount") || text_has_word(value, "umount");
	for (; value.length > 0; value.bytes += length, value.length -= length) {
		length = 0;
		while (length < value.length && !strchr(" \t\"';&|()", value.bytes[length]))
			length++;
		if (is_about_ours((struct text) { value.bytes, length }))
			setting->ours = true;
		length += length < value.length;
	}
	return setting->mounts && setting->ours;
}

/* The second field of a line of /etc/fstab. */
static bool fstab_mounts_over(struct text line)
{
	struct text where = { line.bytes, 0 };
	size_t at = 0;

	while (at < line.length && line.bytes[at] != ' ' && line.bytes[at] != '\t')
		at++;
	while (at < line.length && (line.bytes[at] == ' ' || line.bytes[at] == '\t'))
		at++;
	where.bytes = line.bytes + at;
	while (at + where.length < line.length && where.bytes[where.length] != ' ' &&
	       where.bytes[where.length] != '\t')
		where.length++;
	return is_over_ours(where);
}

/* A line of a unit that is no comment. A name alone, before a backslash, is nothing that anybody
 * writes. */
static bool is_against_ours(struct setting *setting, struct text line)
{
	struct text value = line;
	bool first = !setting->goes_on;

	setting->goes_on = goes_on(line);
	if (first)
		setting->mounts = setting->ours = false;
	if (first && !text_setting(line, &setting->key, &value)) {
		setting->key = text_of("");
		return setting->goes_on && text_trim(line).bytes[0] != '[';
	}
	if (setting->goes_on)
		value = text_strip(value, "\\");
	return mounts_over(setting, value) || depends_on_ours(setting->key, value);
}

static bool is_unit_path(struct text path)
{
	return text_has(path, "systemd/system") || text_has(path, "systemd/transient") ||
	       text_has(path, "systemd/generator");
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

static bool is_program(struct text text)
{
	return text_begins(text, "\177ELF");
}

/* Line by line, as one of those reads it that might: a shell, or systemd. */
static bool search_lines(struct search *search, const char *path, struct text text,
			 bool (*next)(struct text *rest, struct text *line))
{
	bool unit = !search->scope && is_unit_path(text_of(path));
	bool fstab = !search->scope && strcmp(path, "etc/fstab") == 0;
	struct setting setting = { { "", 0 }, false, false, false };
	struct text line;

	if (!unit && !fstab && !names(text, search->scope))
		return true;
	for (unsigned number = 1; next(&text, &line); number++) {
		if (text_is_comment(line))
			continue;
		if (names(line, search->scope) || (unit && is_against_ours(&setting, line)) ||
		    (fstab && fstab_mounts_over(text_trim(line))))
			return say_line(search, path, number, line);
	}
	return true;
}

static bool search_file(struct search *search, const char *path, const struct node *node)
{
	struct text text = text_of_node(node);

	if (is_program(text)) {
		bool odd = !search->scope && (text_has(text, "noptrace-initramfs") ||
					      text_has(text, "sbin/noptrace"));
		return !odd || say(search, path, " names noptrace");
	}
	if (!search->scope && text.length < node->size && is_read_by_somebody(path, text))
		return say(search, path, " is too large to be looked at");
	return search_lines(search, path, text, text_line) &&
	       search_lines(search, path, text, text_line_of_systemd);
}

static bool search_node(void *closure, const char *path, const struct node *node)
{
	struct search *search = closure;
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (is_left_out(text_of(path)))
		return true;
	if (!search->scope) {
		/* a credential that changes units, for systemd 256 and later */
		if (strncmp(name, "systemd.unit-dropin", 19) == 0 ||
		    strncmp(name, "systemd.extra-unit", 18) == 0)
			return say(search, path, " is a credential that changes units");
		/* what is dropped in is judged by the units that it is for */
		bool dropins = S_ISDIR(node->mode) && is_unit_path(text_of(path)) &&
			       text_ends(text_of(name), ".d");
		bool named = !dropins && strstr(name, "noptrace") != NULL;
		bool leads = node->target && strstr(node->target, "noptrace");

		if ((named || leads) && !image_knows(search->image, path))
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
	if (search_file(search, path, node) || image_knows(search->image, path)) {
		search->room[0] = '\0';
		return true;
	}
	return false;
}

bool points_others(struct image *image, bool scope, char *room, size_t size)
{
	struct search search = { image, scope, room, size };

	room[0] = '\0';
	if (!tree_visit(&image->tree, search_node, &search) && room[0] == '\0')
		image->no_memory = true;
	return room[0] == '\0';
}

/* SPDX-License-Identifier: MIT */
/* What a unit's settings could do to ours, as settings.h has it. */
#include <stdio.h>
#include <string.h>

#include "policy.h"
#include "settings.h"
#include "units.h"

/* A path without what makes no difference, as /proc//sys/./ has it, and no longer than `room`,
 * which is longer than all that it is compared with: of folders beyond that only the number is
 * kept, for a .. to leave them. */
static struct text squeeze(struct text path, char *room, size_t size)
{
	size_t end = 0;
	size_t beyond = 0;

	while (path.length > 0 && path.bytes[0] == '/') {
		struct text step = { ++path.bytes, 0 };

		path.length--;
		while (step.length < path.length && path.bytes[step.length] != '/')
			step.length++;
		path = text_from(path, step.length);
		if (step.length == 0 || text_is(step, "."))
			continue;
		if (text_is(step, "..")) {
			if (beyond > 0) {
				beyond--;
			} else {
				while (end > 0 && room[--end] != '/')
					;
			}
		} else if (end == size) {
			beyond++;
		} else {
			room[end++] = '/';
			step.length = step.length < size - end ? step.length : size - end;
			memcpy(room + end, step.bytes, step.length);
			end += step.length;
		}
	}
	return path.length > 0 ? path : (struct text) { room, end };
}

bool setting_leads_through_proc(struct text path, bool end)
{
	static const char *const known[] = {
		"cmdline",   "filesystems", "fs/nfsd",	      "kcore",	     "modules",
		"mounts",    "net/pnp",	    "self/exe",	      "self/fd",     "self/fd/0",
		"self/fd/1", "self/fd/2",   "self/mountinfo", "self/mounts", "sys/fs/binfmt_misc",
		"xen",	     NULL,
	};
	size_t length;

	for (; path.length > 0; path = text_from(path, length)) {
		length = path.bytes[0] == '/';
		while (length < path.length && path.bytes[length] != '/')
			length++;
		if (!text_is(text_strip((struct text) { path.bytes, length }, "/"), "proc"))
			continue;
		path = text_strip(text_from(path, length), "/");
		return path.length > 0 ? !text_is_any(path, known) : end;
	}
	return false;
}

bool setting_is_over_ours(struct text where)
{
	static const char *const exact[] = {
		"/usr",
		"/usr/sbin",
		"/sbin",
		"/usr/sbin/noptrace",
		"/proc",
		"/proc/sys",
		/* which the others may be links to */
		"/usr/bin",
		"/bin",
		/* for which the journal's socket waits, as for all mounts on the way to it */
		"/run",
		"/run/systemd",
		"/run/systemd/journal",
		"/run/systemd/journal/socket",
		"/run/systemd/journal/stdout",
		NULL,
	};
	char room[64];

	where = squeeze(where, room, sizeof room);
	return text_is_any(where, exact) || setting_leads_through_proc(where, false);
}

bool setting_orders_mount(struct text options)
{
	return text_has(options, "x-systemd.before");
}

bool setting_is_credential(struct text name)
{
	static const char *const names[] = {
		"systemd.unit-dropin", "systemd.extra-unit", "fstab.extra", "sysctl.extra",
		"tmpfiles.extra",      "udev.rules.",	     NULL,
	};

	return text_begins_any(name, names);
}

/* A name that may have specifiers or quotes in it. What they stand for is not known here, but what
 * is before the first and behind the last of them is: both are the whole name where there are none.
 */
struct pattern {
	struct text before;
	struct text behind;
};

/* Of a name's byte: whether it may stand for others, or nothing. */
static bool is_special(char byte)
{
	return byte == '%' || byte == '"' || byte == '\'';
}

static struct pattern pattern_of(struct text name)
{
	size_t first = 0;
	size_t behind = name.length;

	while (first < name.length && !is_special(name.bytes[first]))
		first++;
	if (first == name.length)
		return (struct pattern) { name, name };
	while (!is_special(name.bytes[behind - 1]))
		behind--;
	/* the letter behind a % */
	if (name.bytes[behind - 1] == '%' && behind < name.length)
		behind++;
	return (struct pattern) { { name.bytes, first }, text_from(name, behind) };
}

/* No unit of ours begins as it ends, so that without specifiers it is only what has its name. */
static bool could_be(const struct pattern *name, const char *unit)
{
	size_t length;

	/* few do not end here, and an image may have millions of names */
	if (name->before.length > 0 && name->before.bytes[0] != unit[0])
		return false;
	length = strlen(unit);
	return name->before.length <= length && name->behind.length <= length &&
	       memcmp(unit, name->before.bytes, name->before.length) == 0 &&
	       memcmp(unit + length - name->behind.length, name->behind.bytes,
		      name->behind.length) == 0;
}

static bool could_be_any(const struct pattern *name, const char *const *units)
{
	while (*units && !could_be(name, *units))
		units++;
	return *units != NULL;
}

/* A file that PID 1 makes, empties or removes, as a socket does with what is in its place: where
 * specifiers are in its name, it may be the program, however the folder is called. What is there by
 * its name is found by that. */
static bool writes_over_ours(struct text key, struct text value)
{
	static const char *const keys[] = { "Symlinks", "PIDFile", "OpenFile", NULL };
	static const char *const kinds[] = { "file:", "append:", "truncate:" };
	/* where nothing of ours is */
	static const char *const elsewhere[] = { "/run/", "%t/", "@", NULL };
	struct text word;

	if (!text_is_any(key, keys) && !text_begins(key, "Listen") && !text_begins(key, "Standard"))
		return false;
	while (text_word(&value, &word)) {
		const char *end;
		size_t at;

		for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
			size_t length = strlen(kinds[i]);
			if (text_begins(word, kinds[i]))
				word = text_from(word, length);
		}
		if (text_begins_any(word, elsewhere))
			continue;
		/* its name and options follow a file's path */
		end = memchr(word.bytes, ':', word.length);
		if (end)
			word.length = (size_t)(end - word.bytes);
		/* systemd drops these, and some readers do not mind them */
		while (text_ends(word, "/") || text_ends(word, "/."))
			word.length--;
		at = word.length;
		while (at > 0 && word.bytes[at - 1] != '/')
			at--;
		if (at > 0) {
			struct pattern name = pattern_of(text_from(word, at));
			if (could_be(&name, "noptrace"))
				return true;
		}
	}
	return false;
}

static size_t least(size_t one, size_t other)
{
	return one < other ? one : other;
}

static bool could_be_locked(const struct pattern *name)
{
	static const char start[] = UNIT_LOCKED_NAME;
	static const char end[] = ".target";
	size_t before = least(name->before.length, sizeof start - 1);
	size_t behind = least(name->behind.length, sizeof end - 1);
	const char *policy;

	/* few do not end here, see could_be() */
	if (memcmp(name->before.bytes, start, before) != 0 ||
	    memcmp(name->behind.bytes + name->behind.length - behind, end + sizeof end - 1 - behind,
		   behind) != 0)
		return false;
	for (size_t i = 1; (policy = policy_name(i)); i++) {
		char unit[64];

		(void)snprintf(unit, sizeof unit, "%s%s%s", start, policy, end);
		if (could_be(name, unit))
			return true;
	}
	return false;
}

static const char *const needed[] = { UNITS_NEEDED, NULL };

bool setting_names_needed(struct text names)
{
	struct text word;

	while (text_word(&names, &word)) {
		struct pattern name = pattern_of(word);
		if (could_be_any(&name, needed))
			return true;
	}
	return false;
}

/* A dependency on what could be one of our units. Or one that stops what ours needs, or comes
 * before that and may wait for ours: then systemd drops one of them. */
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
		/* of a timer, a path or a socket, which comes before what it starts */
		"Service",
		"Unit",
		/* as they were once spelled, which systemd still reads */
		"BindTo",
		"PropagateReloadFrom",
		"PropagateReloadTo",
		"RequiresOverridable",
		"RequisiteOverridable",
	};
	static const char *const ours[] = {
		UNIT,
		UNIT_LATER,
		UNIT_INSTEAD,
		NULL,
	};
	static const char *const stopping[] = {
		"Before", "Conflicts", "PropagatesStopTo", "Service", "Unit", NULL,
	};
	bool before = text_is_any(key, stopping);
	struct text word;

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (!text_is(key, keys[i]))
			continue;
		while (text_word(&value, &word)) {
			struct pattern name = pattern_of(word);
			/* an image may have millions that are shorter than all of these */
			if (name.before.bytes == name.behind.bytes &&
			    word.length < sizeof "-.slice" - 1)
				continue;
			if (could_be_any(&name, ours) || could_be_locked(&name) ||
			    (before && could_be_any(&name, needed)))
				return true;
		}
	}
	return false;
}

/* The same of a word of a command. What it mounts from may be /usr, and is no harm; nor does the
 * socket wait for what a command mounts. */
static bool is_about_ours(struct text word)
{
	return setting_is_over_ours(word) && !text_is(word, "/usr") && !text_is(word, "/sbin") &&
	       !text_begins(word, "/run");
}

/* A unit that mounts over it, or runs mount(8) or umount(8) to do so. */
static bool mounts_over(struct setting *setting, struct text value)
{
	size_t length;

	if (text_is(setting->key, "Where"))
		return setting_is_over_ours(value);
	if (!text_begins(setting->key, "Exec"))
		return false;
	setting->mounts =
	    setting->mounts || text_has_word(value, "mount") || text_has_word(value, "umount");
	for (; value.length > 0; value = text_from(value, length)) {
		length = 0;
		while (length < value.length && !strchr(" \t\"';&|()", value.bytes[length]))
			length++;
		if (is_about_ours((struct text) { value.bytes, length }))
			setting->ours = true;
		length += length < value.length;
	}
	return setting->mounts && setting->ours;
}

bool setting_is_against_ours(struct setting *setting, struct text line)
{
	struct text value;
	bool first = !setting->goes_on;

	/* systemd skips a byte order mark at the first line that begins with one */
	if (text_begins(line, "\xef\xbb\xbf"))
		line = text_from(line, 3);
	value = line;

	setting->goes_on = text_goes_on(line);
	if (first)
		setting->mounts = setting->ours = false;
	if (first && !text_setting(line, &setting->key, &value)) {
		setting->key = text_of("");
		/* nobody writes a name alone, before a backslash */
		return setting->goes_on && text_trim(line).bytes[0] != '[';
	}
	if (setting->goes_on)
		value = text_strip(value, "\\");
	return mounts_over(setting, value) || depends_on_ours(setting->key, value) ||
	       writes_over_ours(setting->key, value);
}

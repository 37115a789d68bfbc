/* SPDX-License-Identifier: MIT */
/*
 * The part of the point masks that is about command lines: what is on one that keeps the unit, or
 * /init, from running, or alters it.
 */
#include <string.h>

#include "../cmdline.h"
#include "points.h"
#include "settings.h"
#include "shell.h"
#include "units.h"
#include "words.h"

/* systemd.mask= takes a name with or without its type. */
static bool masks_ours(struct text value)
{
	static const char *const units[] = {
		"sysinit.target", "basic.target", "initrd.target", UNITS_NEEDED, NULL,
	};

	return text_is_any(value, units) || text_has(value, "noptrace");
}

/* Of WHAT:WHERE:TYPE:OPTIONS. */
static bool mounts_over(struct text value)
{
	const char *colon = memchr(value.bytes, ':', value.length);
	struct text where = { colon, 0 };

	if (!colon)
		return false;
	where.bytes++;
	while (where.bytes + where.length < value.bytes + value.length &&
	       where.bytes[where.length] != ':')
		where.length++;
	return setting_is_over_ours(where);
}

/* What the kernel hands to init as its environment, and that to a shell. */
static bool steers_init(struct text name)
{
	static const char *const harmless[] = {
		"SYSTEMD_LOG_",
		"SYSTEMD_COLORS",
		"SYSTEMD_SULOGIN_FORCE",
		"SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE",
		NULL,
	};
	/* the last is initramfs-tools' */
	static const char *const steering[] = { "SYSTEMD_", "log_output", NULL };

	if (text_begins_any(name, harmless))
		return false;
	return text_begins_any(name, steering) || text_is(name, "PATH") || shell_heeds(name);
}

/* The old words for a run level, which initrd.target gives way to. */
static bool is_level(struct text name)
{
	static const char *const levels[] = {
		"rd.emergency", "rd.rescue", "rd.single", "rd.-b", "rd.-s", "rd.s", "rd.S",
		"rd.1",		"rd.2",	     "rd.3",	  "rd.4",  "rd.5",  NULL
	};

	return text_is_any(name, levels);
}

/* A shell on the console before the lock, of initramfs-tools and dracut. */
static bool stops_before(struct text name, struct text value)
{
	return (text_is(name, "break") && text_has(value, "top")) ||
	       ((text_is(name, "rd.break") || text_is(name, "rdbreak")) &&
		text_is(value, "cmdline")) ||
	       (text_is(name, "rd.cmdline") && text_is(value, "ask"));
}

/* The same name to systemd and the kernel, which do not tell - from _. */
static bool is_key(struct text name, const char *key)
{
	if (name.length != strlen(key))
		return false;
	for (size_t i = 0; i < name.length; i++) {
		if (name.bytes[i] != key[i] && (name.bytes[i] != '-' || key[i] != '_'))
			return false;
	}
	return true;
}

/* Whether a quote is open at its end, and what is behind the blank there is still its value. */
static bool goes_on(struct text word)
{
	size_t quotes[2] = { 0 };

	for (size_t i = 0; i < word.length; i++) {
		quotes[0] += word.bytes[i] == '"';
		quotes[1] += word.bytes[i] == '\'';
	}
	return quotes[0] % 2 == 1 || quotes[1] % 2 == 1;
}

/* Of a mount: it comes before others, or cannot be seen whole, being too long, or with a blank. */
static bool mounts_before(struct text options, struct text shown)
{
	return setting_orders_mount(options) || goes_on(shown) || shown.length >= UNITS_PATH;
}

/* A word that keeps systemd from running the unit, or alters it. It is the beginning of the word
 * that is `shown`, whose backslashes are not in it. */
static bool is_against_unit(struct text word, struct text shown)
{
	struct text name = word;
	struct text key;
	struct text value;

	/* init's arguments are kernel words that nobody else takes, too */
	if (text_begins(word, "--u") || text_begins(word, "--c"))
		return true;
	if (!text_setting(word, &name, &value))
		value = text_of("");
	key = name;
	if (text_begins(name, "rd."))
		key = text_from(name, 3);
	/* PID 1 asks on the console whether to run it */
	if (is_key(key, "systemd.confirm_spawn"))
		return true;
	if (name.length == word.length)
		return is_level(word);
	if (stops_before(name, value))
		return true;
	if (is_key(key, "systemd.mask"))
		return masks_ours(value);
	if (is_key(name, "rd.systemd.unit"))
		return !text_is(value, "initrd.target");
	if (is_key(key, "systemd.set_credential") || is_key(key, "systemd.set_credential_binary"))
		return setting_is_credential(value);
	if (is_key(key, "systemd.setenv"))
		return text_setting(value, &name, &value) && steers_init(name);
	if (is_key(name, "rootflags") || is_key(name, "mount.usrflags"))
		return mounts_before(value, shown);
	if (is_key(name, "rd.systemd.mount_extra"))
		/* in which it knows escapes of its own */
		return mounts_over(value) || mounts_before(value, shown) ||
		       memchr(shown.bytes, '\\', shown.length);
	return steers_init(name);
}

/*
 * The next word of a line, as systemd might read it, which knows other quotes than the kernel and
 * escapes, some or all of them by its version, and goes on behind a bare --. So it is what stands
 * between blanks, with nothing of that in it: too many words rather than one too few. `bare`, in
 * `room`, is its beginning, which is longer than all that it is compared with.
 */
static bool next_bare(struct text *rest, struct text *word, struct text *bare, char *room,
		      size_t size)
{
	size_t length = 0;

	while (rest->length > 0 && cmdline_separates((unsigned char)rest->bytes[0])) {
		rest->bytes++;
		rest->length--;
	}
	*word = (struct text) { rest->bytes, 0 };
	while (word->length < rest->length &&
	       !cmdline_separates((unsigned char)rest->bytes[word->length])) {
		char byte = rest->bytes[word->length++];
		if (!strchr("\"'\\", byte) && length < size)
			room[length++] = byte;
	}
	*bare = (struct text) { room, length };
	rest->bytes += word->length;
	rest->length -= word->length;
	return word->length > 0;
}

static bool fail_word(struct image *image, const struct line *line, struct text word)
{
	results_add(image->results, STATUS_FAIL, "masks",
		    "%s: %.*s keeps it from running; take that out", line->origin, text_shown(word),
		    word.bytes);
	return false;
}

/* Of initcalls, which others leave out for a driver's sake: those that unpack the initramfs, run
 * programs or scripts, or make the scope. */
static bool skips_ours(struct text names)
{
	static const char *const ours[] = { "rootfs", "binfmt", "yama", "sysctl", "proc_" };

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		if (text_has(names, ours[i]))
			return true;
	}
	return false;
}

/* A word that has the kernel, or its EFI stub, leave out the initramfs, or what ours needs there.
 */
static bool is_against_initramfs(const struct word *word)
{
	/* the stub asks for none, whatever stands behind it */
	if (text_is(word->name, "noinitrd"))
		return true;
	if (!word->assigned)
		return false;
	if (is_key(word->name, "initcall_blacklist"))
		return skips_ours(word->value);
	/* a place in memory, as initrdmem= has it; a path is the loader's, or the EFI stub's */
	if (text_is(word->name, "initrd"))
		return word->value.length > 0 && word->value.bytes[0] >= '0' &&
		       word->value.bytes[0] <= '9';
	if (text_is(word->name, "rdinit"))
		return !text_is(word->value, "/init");
	/* the second mounts what it is unpacked into: with too few inodes, or noexec */
	return is_key(word->name, "initrdmem") || is_key(word->name, "initramfs_options");
}

static bool line_is_clear(struct image *image, const struct line *line)
{
	struct text rest = line->text;
	struct text shown;
	struct text bare;
	struct word word;
	char room[UNITS_PATH];

	for (size_t at = 0; words_next(line->text, &at, &word);) {
		if (!is_against_initramfs(&word))
			continue;
		shown = (struct text) { line->text.bytes + word.start, word.end - word.start };
		return fail_word(image, line, shown);
	}
	while (next_bare(&rest, &shown, &bare, room, sizeof room)) {
		if (is_against_unit(bare, shown))
			return fail_word(image, line, shown);
	}
	return true;
}

bool points_line_stops(struct text line)
{
	struct text shown;
	struct text bare;
	struct text name;
	struct text value;
	char room[UNITS_PATH];

	while (next_bare(&line, &shown, &bare, room, sizeof room)) {
		if (text_setting(bare, &name, &value) && stops_before(name, value))
			return true;
	}
	return false;
}

bool points_lines_are_clear(struct image *image)
{
	for (size_t i = 0; i < image->count; i++) {
		if (!line_is_clear(image, &image->lines[i]))
			return false;
	}
	return true;
}

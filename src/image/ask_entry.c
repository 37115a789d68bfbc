/* SPDX-License-Identifier: MIT */
/*
 * noptrace-entry: reads entries of the Boot Loader Specification, for the kernel-install plugin.
 *
 *     noptrace-entry about FILE               six lines: `maintenance` for one of ours, `grub` for
 *                                             one that GRUB reads, or `plain`; `open` if its
 *                                             command line has the word maintenance, else `locks`;
 *                                             its version and sort-key, without quotes; its
 *                                             kernel's path, if it is of one kernel whatever the
 *                                             boot loader and the machine, and GRUB shows it if
 *                                             it is GRUB's; and its title
 *     noptrace-entry values KEY FILE          what the key has, a line for each that there is
 *     noptrace-entry without FILE             the entry without the word, and else as it is
 *     noptrace-entry maintenance USERS FILE   the one for maintenance that goes with it; USERS of
 *                                             GRUB may boot it, or root where there are none
 *
 * Whoever reads an entry joins its options in a way of their own, and the word counts if it is
 * there in any. systemd-boot takes the quotes off a value that begins and ends with one, and joins
 * the values with spaces; its tools leave the quotes; GRUB takes the first options alone, and puts
 * them behind all that `linux` has, in a line of a script. systemd-boot 252 puts what an initrd
 * has, blanks and all, before the options; a word from there is not taken out. What they would
 * break into lines differently is not read: an entry with a NUL, with a carriage return within a
 * line, or longer than any is.
 *
 * Exits 0; 2 if FILE cannot be read, nothing can be said of it, or no such entry made of it, with
 * one line that says why if it is for what is in it; 64: usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "grub.h"
#include "words.h"

enum { YES = 0, UNREADABLE = 2, USAGE = 64 };

enum { LONGEST = 64 * 1024, MOST_LINES = 1024 };

static const char mark[] = "# noptrace: maintenance entry";
static const char word_of_ours[] = "maintenance";

/* systemd-boot 252 knows the first of them alone. */
static const char any_quote[] = "\"'";

/* A line: a key and its value, which may be empty. That of a comment begins with #. */
struct setting {
	struct text line;
	struct text key, value;
};

struct entry {
	char bytes[LONGEST];
	size_t length;
	bool taken[LONGEST]; /* the bytes that go */
	struct setting settings[MOST_LINES];
	size_t count;
	bool ours, grub;
	bool plain; /* its command line */
};

/* A command line made of values of an entry, with a blank between them, which is shorter than their
 * keys and newlines, and where in the entry each byte of it stands. */
struct joined {
	char bytes[LONGEST];
	size_t from[LONGEST];
	size_t length;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct text trim(struct text text)
{
	return text_strip(text, " \t");
}

static void split(struct setting *setting)
{
	struct text rest = trim(setting->line);
	size_t key = 0;

	while (key < rest.length && !is_blank(rest.bytes[key]))
		key++;
	setting->key = (struct text) { rest.bytes, key };
	setting->value = trim(text_from(rest, key));
}

static bool read_entry(struct entry *entry, const char *path)
{
	FILE *file = fopen(path, "re");
	struct text rest, line;
	bool ok, plain_initrds = true;
	const char *why = NULL;

	if (!file)
		return false;
	entry->length = fread(entry->bytes, 1, sizeof entry->bytes, file);
	ok = !ferror(file);
	if (!feof(file))
		why = "it has 64 KiB or more";
	else if (memchr(entry->bytes, '\0', entry->length))
		why = "it has a NUL";
	(void)fclose(file);
	rest = (struct text) { entry->bytes, entry->length };
	entry->plain = true;
	while (ok && !why && text_line(&rest, &line)) {
		struct setting *setting = &entry->settings[entry->count++];

		if (line.length > 0 && line.bytes[line.length - 1] == '\r')
			line.length--;
		if (memchr(line.bytes, '\r', line.length))
			why = "it has a carriage return that does not end a line";
		else if (entry->count == MOST_LINES)
			why = "it has 1024 lines or more";
		setting->line = line;
		split(setting);
		entry->ours |= text_is(line, mark);
		entry->grub |= text_begins(setting->key, "grub_");
		if (text_is(setting->key, "options") || text_is(setting->key, "linux"))
			entry->plain &= words_are_plain(setting->value);
		if (text_is(setting->key, "initrd"))
			plain_initrds &= words_are_plain(setting->value);
	}
	entry->plain &= entry->grub || plain_initrds;
	if (ok && why)
		(void)puts(why);
	return ok && !why;
}

static const struct setting *find(const struct entry *entry, const char *key)
{
	for (size_t i = 0; i < entry->count; i++) {
		if (text_is(entry->settings[i].key, key))
			return &entry->settings[i];
	}
	return NULL;
}

/* Without one of these quotes at both ends, as systemd-boot takes a value; one that stands alone is
 * both. */
static struct text unquoted(struct text value, const char *quotes)
{
	if (value.length == 0 || !strchr(quotes, value.bytes[0]) ||
	    value.bytes[value.length - 1] != value.bytes[0])
		return value;
	value.bytes++;
	value.length -= value.length == 1 ? 1 : 2;
	return value;
}

/* What is left of a piece of the entry. */
static void join(struct joined *joined, const struct entry *entry, struct text text)
{
	if (joined->length > 0)
		joined->bytes[joined->length++] = ' ';
	for (size_t i = 0; i < text.length; i++) {
		size_t from = (size_t)(text.bytes - entry->bytes) + i;

		if (entry->taken[from])
			continue;
		joined->from[joined->length] = from;
		joined->bytes[joined->length++] = text.bytes[i];
	}
}

static void join_options(struct joined *joined, const struct entry *entry, const char *quotes)
{
	for (size_t i = 0; i < entry->count; i++) {
		if (text_is(entry->settings[i].key, "options"))
			join(joined, entry, unquoted(entry->settings[i].value, quotes));
	}
}

/* As systemd-boot 252 does: each initrd, and then the options. */
static bool opens_by_initrd(const struct entry *entry)
{
	static struct joined options;
	/* with initrd= and a blank a value is at most one byte longer than its line */
	static char line[LONGEST + MOST_LINES];
	size_t length = 0;

	if (entry->grub)
		return false;
	for (size_t i = 0; i < entry->count; i++) {
		struct text value = unquoted(entry->settings[i].value, "\"");

		if (!text_is(entry->settings[i].key, "initrd"))
			continue;
		length += (size_t)snprintf(line + length, sizeof line - length, "initrd=%.*s ",
					   (int)value.length, value.bytes);
	}
	options.length = 0;
	join_options(&options, entry, "\"");
	memcpy(line + length, options.bytes, options.length);
	return words_has((struct text) { line, length + options.length }, word_of_ours);
}

static void join_for_grub(struct joined *joined, const struct entry *entry)
{
	static const char *const keys[] = { "linux", "options" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const struct setting *setting = find(entry, keys[i]);

		if (setting)
			join(joined, entry, setting->value);
	}
}

/* Marks the bytes of the word, with the blank behind each; false if it is not there. */
static bool take(struct entry *entry, const struct joined *joined)
{
	const struct text line = { joined->bytes, joined->length };
	struct word word;
	bool found = false;

	for (size_t at = 0; words_next(line, &at, &word);) {
		if (word.assigned || !text_is(word.name, word_of_ours))
			continue;
		found = true;
		for (size_t i = word.start; i < word.end; i++)
			entry->taken[joined->from[i]] = true;
		size_t behind = joined->from[word.end - 1] + 1;
		if (behind < entry->length && is_blank(entry->bytes[behind]))
			entry->taken[behind] = true;
	}
	return found;
}

static bool take_all(struct entry *entry)
{
	static struct joined old_boot, boot, tools, grub;
	bool found;

	old_boot.length = boot.length = tools.length = grub.length = 0;
	join_options(&old_boot, entry, "\"");
	join_options(&boot, entry, any_quote);
	join_options(&tools, entry, "");
	join_for_grub(&grub, entry);
	found = take(entry, &old_boot);
	found |= take(entry, &boot);
	found |= take(entry, &tools);
	return take(entry, &grub) || found;
}

/*
 * Whether what is left of the entry is open in GRUB, which runs it as a script with quotes and
 * backslashes of its own. False: as a script it cannot be read.
 */
static bool judge_script(const struct entry *entry, bool *open)
{
	static const char format[] = "menuentry x {\nlinux %.*s\n}\n";
	static struct joined line;
	static char script[sizeof line.bytes + sizeof format];
	static struct grub_menu menu;
	unsigned number;
	int length;

	line.length = 0;
	join_for_grub(&line, entry);
	length = snprintf(script, sizeof script, format, (int)line.length, line.bytes);
	*open = false;
	if (!grub_read((struct text) { script, (size_t)length }, &menu, &number))
		return false;
	for (size_t i = 0; i < menu.count; i++)
		*open |= menu.entries[i].open;
	return true;
}

static const char not_plain[] = "its command line has bytes that are not printable ASCII";
static const char by_initrd[] = "its initrd has the word maintenance behind a blank";

/* Whether it is open; if that cannot be told, says why and is false. */
static bool judge(struct entry *entry, bool *open)
{
	*open = take_all(entry);
	*open |= opens_by_initrd(entry);
	if (*open)
		return true;
	if (!entry->plain) {
		(void)printf("it cannot be told whether it is open: %s\n", not_plain);
		return false;
	}
	if (!judge_script(entry, open) && entry->grub) {
		(void)puts(
		    "it cannot be told whether it is open: its command line is none to GRUB");
		return false;
	}
	return true;
}

/* What is left of a piece of the entry. */
static void put(const struct entry *entry, struct text text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (!entry->taken[(size_t)(text.bytes - entry->bytes) + i])
			(void)putchar(text.bytes[i]);
	}
}

static void put_shown(struct text value)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.bytes[i];
		(void)putchar(c < ' ' || c == 0x7f ? '?' : c);
	}
	(void)putchar('\n');
}

/* The value that counts: GRUB takes the first, systemd-boot the last that is none of no bytes. */
static struct text value_of(const struct entry *entry, const char *key)
{
	struct text value = { "", 0 };

	for (size_t i = 0; i < entry->count; i++) {
		const struct setting *setting = &entry->settings[i];

		if (text_is(setting->key, key) && setting->value.length > 0 &&
		    !(entry->grub && value.length > 0))
			value = setting->value;
	}
	return value;
}

/* systemd-boot takes the last of these, and does not show an entry for another architecture. */
static bool is_of_one_kernel(const struct entry *entry)
{
	static const char *const others[] = { "efi", "uki", "uki-url", "architecture", NULL };
	size_t kernels = 0;

	for (size_t i = 0; i < entry->count; i++) {
		if (text_is_any(entry->settings[i].key, others))
			return false;
		kernels += text_is(entry->settings[i].key, "linux");
	}
	return kernels == 1;
}

/*
 * Whether GRUB does not show an entry that has a linux: it reads no further than to an empty line,
 * or to a key without a value. systemd-boot reads on.
 */
static bool is_cut_short(const struct entry *entry)
{
	for (const struct setting *setting = entry->settings; entry->grub; setting++) {
		if (setting->value.length == 0 && !text_begins(setting->key, "#"))
			return true;
		if (text_is(setting->key, "linux"))
			break;
	}
	return false;
}

static int print_about(struct entry *entry)
{
	const bool booted = is_of_one_kernel(entry) && !is_cut_short(entry);
	bool open;

	if (!judge(entry, &open))
		return UNREADABLE;
	(void)puts(entry->ours ? "maintenance" : entry->grub ? "grub" : "plain");
	(void)puts(open ? "open" : "locks");
	put_shown(unquoted(value_of(entry, "version"), any_quote));
	put_shown(unquoted(value_of(entry, "sort-key"), any_quote));
	put_shown(booted ? value_of(entry, "linux") : (struct text) { "", 0 });
	put_shown(unquoted(value_of(entry, "title"), any_quote));
	return YES;
}

static int print_values(const struct entry *entry, const char *key)
{
	for (size_t i = 0; i < entry->count; i++) {
		if (!text_is(entry->settings[i].key, key))
			continue;
		put(entry, entry->settings[i].value);
		(void)putchar('\n');
	}
	return YES;
}

static int print_without(struct entry *entry)
{
	bool open;

	(void)take_all(entry);
	if (opens_by_initrd(entry)) {
		(void)puts(by_initrd);
		return UNREADABLE;
	}
	/* a spelling of GRUB's that nothing writes by itself */
	(void)judge_script(entry, &open);
	if (open) {
		(void)puts("GRUB finds the word maintenance by its quotes or backslashes");
		return UNREADABLE;
	}
	put(entry, (struct text) { entry->bytes, entry->length });
	return YES;
}

/* What is another entry's, or would open this one by itself or without a password. */
static bool stays_behind(const struct setting *setting)
{
	return text_is(setting->key, "id") || text_is(setting->key, "grub_users") ||
	       text_is(setting->key, "grub_hotkey") ||
	       (text_is(setting->key, "grub_arg") && text_has(setting->value, "--unrestricted"));
}

/* Quotes round the value would end before the suffix, and be a part of it. */
static void put_with(const struct setting *setting, const char *suffix)
{
	struct text value = unquoted(setting->value, any_quote);

	(void)printf("%.*s %.*s%s", (int)setting->key.length, setting->key.bytes, (int)value.length,
		     value.bytes, suffix);
}

/* Of a value of one byte, or of blanks, GRUB makes none, and would ask for no password. */
static void put_users(struct text users)
{
	if (users.length == 0)
		users = text_of("root");
	(void)printf("grub_users %.*s", (int)users.length, users.bytes);
	if (users.length == 1)
		(void)printf(" %c", *users.bytes);
	(void)putchar('\n');
}

/*
 * The word comes first, since behind a -- it would be init's. GRUB reads it behind the kernel's
 * path: there it stays when grub2-mkconfig writes new options into every entry.
 */
static int print_maintenance(struct entry *entry, const char *users)
{
	const struct setting *options = find(entry, "options");
	const struct setting *linux_path = find(entry, "linux");

	if (!is_of_one_kernel(entry) || !entry->plain) {
		(void)puts(entry->plain ? "it has not one linux, or efi, uki or architecture"
					: not_plain);
		return UNREADABLE;
	}
	/* ours would be shown without that line, and the normal one not */
	if (is_cut_short(entry)) {
		(void)puts("GRUB reads no further than to the empty line, or key without a value, "
			   "before its linux");
		return UNREADABLE;
	}
	(void)take_all(entry);
	if (opens_by_initrd(entry)) {
		(void)puts(by_initrd);
		return UNREADABLE;
	}
	(void)puts(mark);
	/* at the top, which GRUB reads in any case */
	if (entry->grub)
		put_users(trim(text_of(users)));
	for (size_t i = 0; i < entry->count; i++) {
		const struct setting *setting = &entry->settings[i];

		if (stays_behind(setting))
			continue;
		if (setting == options && !entry->grub) {
			(void)printf("options    %s ", word_of_ours);
			put(entry, unquoted(setting->value, any_quote));
		} else if (text_is(setting->key, "title")) {
			put_with(setting, " (maintenance)");
		} else if (text_is(setting->key, "sort-key")) {
			put_with(setting, "-maintenance");
		} else {
			put(entry, setting->line);
		}
		if (setting == linux_path && entry->grub)
			(void)printf(" %s", word_of_ours);
		(void)putchar('\n');
	}
	if (!options && !entry->grub)
		(void)printf("options    %s\n", word_of_ours);
	return YES;
}

int main(int argc, char **argv)
{
	static struct entry entry;
	const char *call = argc >= 3 ? argv[1] : "";
	int code = USAGE;

	if (argc == 3 && (strcmp(call, "about") == 0 || strcmp(call, "without") == 0))
		code = YES;
	if (argc == 4 && (strcmp(call, "values") == 0 || strcmp(call, "maintenance") == 0))
		code = YES;
	if (code == USAGE) {
		(void)fputs("usage: noptrace-entry about|without FILE | values KEY FILE | "
			    "maintenance USERS FILE\n",
			    stderr);
		return USAGE;
	}
	if (!read_entry(&entry, argv[argc - 1]))
		return UNREADABLE;
	if (strcmp(call, "about") == 0)
		code = print_about(&entry);
	else if (strcmp(call, "without") == 0)
		code = print_without(&entry);
	else if (strcmp(call, "values") == 0)
		code = print_values(&entry, argv[2]);
	else
		code = print_maintenance(&entry, argv[2]);
	return is_written(stdout) ? code : UNREADABLE;
}

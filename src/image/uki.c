/* SPDX-License-Identifier: MIT */
/* What stubs make of a UKI; uki.h has the rules. */
#include <stdlib.h>
#include <string.h>

#include "uki.h"
#include "words.h"

/* What a stub says of itself: "#### LoaderInfo: systemd-stub 257.13-1~deb13u1 ####". */
enum { MAGIC_LONGEST = 256, KNOWS_MICROCODE = 256, KNOWS_PROFILES = 257 };

char *uki_text(const struct source *source, const struct pe_section *section, size_t longest,
	       struct failure *failure)
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

/* The name of a section that is there twice; NULL where none is. */
static const char *twice(const struct pe *pe)
{
	static const char *const names[] = { ".cmdline", ".initrd", ".linux", ".sdmagic" };

	for (unsigned profile = 0; profile <= pe->profiles; profile++) {
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			if (pe_is_twice(pe, profile, names[i]))
				return names[i];
		}
	}
	return NULL;
}

/* The name of what a section only begins as; NULL if it does not. .cmdline and .profile have all of
 * the eight bytes of a name. */
static const char *begins_as(const struct pe_section *section)
{
	static const char *const names[] = { ".initrd", ".linux", ".ucode" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(section->name, names[i]) != 0 &&
		    text_begins(text_of(section->name), names[i]))
			return names[i];
	}
	return NULL;
}

static bool says(const char *magic, unsigned long least)
{
	static const char begin[] = "#### LoaderInfo: systemd-stub ";
	struct text text = text_of(magic);
	const char *version = magic + sizeof begin - 1;

	return text_begins(text, begin) && text_ends(text, " ####") && *version >= '0' &&
	       *version <= '9' && strtoul(version, NULL, 10) >= least;
}

/* Whether the stub is of that version or later, as it says itself. */
static bool is_of(const struct source *source, const struct pe *pe, unsigned long least,
		  struct failure *failure)
{
	const struct pe_section *section = pe_find(pe, 0, ".sdmagic");
	char *magic = section ? uki_text(source, section, MAGIC_LONGEST, failure) : NULL;
	bool known = magic && says(magic, least);

	free(magic);
	return known;
}

static bool knows_profiles(const struct source *source, const struct pe *pe,
			   struct failure *failure)
{
	return pe->profiles == 0 || is_of(source, pe, KNOWS_PROFILES, failure) ||
	       fail(failure, "it has profiles, and its .sdmagic does not say systemd-stub 257 or "
			     "later: stubs before that boot the last profile's command line; build "
			     "it with a later one");
}

/* A stub that knows profiles knows what is in them. */
static bool knows_microcode(const struct source *source, const struct pe *pe,
			    struct failure *failure)
{
	return !pe_find(pe, 0, ".ucode") || is_of(source, pe, KNOWS_MICROCODE, failure) ||
	       fail(failure, "it has a .ucode, and its .sdmagic does not say systemd-stub 256 or "
			     "later: stubs before that leave out what is in it; build it with a "
			     "later one");
}

bool uki_is_clear(const struct source *source, const struct pe *pe, struct failure *failure)
{
	const char *name = twice(pe);

	if (name)
		return fail(failure,
			    "%s is there twice: systemd's stubs differ in which of them counts",
			    name);
	for (unsigned i = 0; i < pe->count; i++) {
		name = begins_as(&pe->sections[i]);
		if (name)
			return fail(failure,
				    "a section's name begins with %s and is longer: systemd's "
				    "stubs differ in whether it counts as that",
				    name);
	}
	return knows_profiles(source, pe, failure) && knows_microcode(source, pe, failure);
}

const struct pe_section *uki_last_line(const struct pe *pe)
{
	const struct pe_section *last = NULL;

	for (unsigned i = 0; i < pe->count; i++) {
		if (pe->sections[i].size > 0 && strcmp(pe->sections[i].name, ".cmdline") == 0)
			last = &pe->sections[i];
	}
	return last;
}

const char *uki_odd(struct text line)
{
	return words_are_plain(line)
		   ? NULL
		   : "has bytes that are not printable ASCII, of which stubs make different "
		     "lines, with the word in them or not; take them out";
}

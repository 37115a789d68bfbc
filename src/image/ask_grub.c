/* SPDX-License-Identifier: MIT */
/*
 * noptrace-grub: what hooks/grub.d/99_noptrace makes of the configuration that grub-mkconfig is
 * writing, which it reads from stdin.
 *
 *     noptrace-grub open                     the titles of the entries whose boot is open, the
 *                                            functions that load an open kernel, and the lines of
 *                                            commands outside of both that do
 *     noptrace-grub normal                   the first entry of 10_linux, unless it is open
 *     noptrace-grub id                       and what names that to GRUB as a default
 *     noptrace-grub maintenance ID USERS     for each of its kernels an entry with the word
 *
 * An entry is the distribution's own, without the command that remembers the choice. One with the
 * word has it right behind the kernel's path, in each of its lines that load one, has its title
 * end in " (maintenance)", is called ID-VERSION, and is for GRUB's USERS.
 *
 * Exits 0: printed; 1: there is none; 2: the configuration cannot be read, or is not understood,
 * with one line on stderr that says why; 3: its entries are Boot Loader Specification ones, which
 * are not in it; 64: usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "grub.h"
#include "results.h"

enum { YES = 0, NO = 1, UNREADABLE = 2, BLS = 3, USAGE = 64 };

/* No configuration is longer: it has some kB for each kernel. */
enum { LONGEST = 4 << 20 };

struct request {
	struct text script;
	struct grub_menu *menu;
	const char *id;
	const char *users;
};

static void put(struct text text)
{
	(void)fwrite(text.bytes, 1, text.length, stdout);
}

/* As one word of GRUB's language, with SUFFIX, which has no quote, at its end. */
static void put_quoted(const char *text, const char *suffix)
{
	(void)putchar('\'');
	for (; *text; text++) {
		if (*text == '\'')
			(void)fputs("'\\''", stdout);
		else
			(void)putchar(*text);
	}
	(void)printf("%s'", suffix);
}

/* Of one script, from its first line that is asked for to its last: it counts on. */
static unsigned line_of(struct text script, size_t at)
{
	static unsigned line = 1;
	static size_t counted;

	for (; counted < at; counted++)
		line += script.bytes[counted] == '\n';
	return line;
}

static void complain(struct text script, size_t at, const char *why)
{
	(void)fprintf(stderr, "line %u of the configuration: %s\n", line_of(script, at), why);
}

/* What is in the line of a `menuentry`. */
struct header {
	char title[GRUB_VALUE];
	bool titled;
	char id[GRUB_VALUE];
	char classes[GRUB_VALUE]; /* its --class options, as they stand there */
	size_t classes_length;
};

/* The option of menuentry that this word is, which has a value; "=value" may be joined to it. */
static const char *option_of(const char *word, bool *joined)
{
	static const char *const options[] = { "--class",  "--users", "--hotkey",
					       "--source", "--id",    NULL };

	for (size_t i = 0; options[i]; i++) {
		size_t length = strlen(options[i]);

		*joined = word[length] == '=';
		if (strncmp(word, options[i], length) == 0 && (*joined || word[length] == '\0'))
			return options[i];
	}
	return NULL;
}

static bool add_class(struct header *header, const char *option, struct text raw)
{
	size_t left = sizeof header->classes - header->classes_length;
	int length = snprintf(header->classes + header->classes_length, left, " %s%.*s", option,
			      (int)raw.length, raw.bytes);

	header->classes_length += (size_t)length;
	return (size_t)length < left;
}

/* False: it has what 10_linux does not write. */
static bool read_header(struct text script, const struct grub_entry *entry, struct header *header)
{
	static struct grub_token token;
	struct grub_lexer lexer = { script, entry->start };
	const char *option = NULL;

	*header = (struct header) { 0 };
	grub_token(&lexer, &token); /* menuentry */
	for (grub_token(&lexer, &token); token.kind == GRUB_WORD; grub_token(&lexer, &token)) {
		struct text raw = { script.bytes + token.start, token.end - token.start };
		bool joined = false;

		if (!option) {
			if (text_is(raw, "--unrestricted"))
				continue;
			option = text_is(raw, "$menuentry_id_option") ||
					 text_is(raw, "${menuentry_id_option}")
				     ? "--id"
				     : option_of(token.value, &joined);
			if (option && !joined)
				continue;
		}
		if (option) {
			if (strcmp(option, "--class") == 0 &&
			    !add_class(header, joined ? "" : "--class ", raw))
				return false;
			if (strcmp(option, "--id") == 0 && !joined && !token.expands)
				memcpy(header->id, token.value, token.length + 1);
			option = NULL;
			continue;
		}
		if (header->titled || token.value[0] == '-' || token.expands)
			return false;
		header->titled = true;
		memcpy(header->title, token.value, token.length + 1);
	}
	return header->titled && !option;
}

/* What lies between two tokens: with the indentation of our menu in place of the entry's. */
static void put_gap(struct text gap, size_t indentation)
{
	size_t tabs = SIZE_MAX;

	for (size_t i = 0; i < gap.length; i++) {
		if (gap.bytes[i] == '\t' && tabs < indentation) {
			tabs++;
			continue;
		}
		if (tabs != SIZE_MAX) {
			(void)fputs("\t\t", stdout);
			tabs = SIZE_MAX;
		}
		(void)putchar(gap.bytes[i]);
		if (gap.bytes[i] == '\n')
			tabs = 0;
	}
	if (tabs != SIZE_MAX)
		(void)fputs("\t\t", stdout);
}

static size_t indentation_of(struct text script, size_t at)
{
	size_t tabs = 0;

	while (at > 0 && script.bytes[at - 1] == '\t') {
		at--;
		tabs++;
	}
	return tabs;
}

/*
 * The body of an entry, with WORD, if there is one, behind the path of each kernel. A newline is
 * put out when what follows it is: it goes where a statement goes.
 */
static void put_body(struct text script, const struct grub_entry *entry, const char *word)
{
	static struct grub_token token;
	struct grub_lexer lexer = { { script.bytes, entry->end }, entry->body };
	size_t indentation = indentation_of(script, entry->start);
	size_t printed = entry->body;
	size_t words = 0;
	bool loads = false, left_out = false;

	for (grub_token(&lexer, &token); token.kind != GRUB_END; grub_token(&lexer, &token)) {
		if (token.kind == GRUB_WORD && words == 0) {
			loads = grub_loads_linux(token.value);
			left_out = strcmp(token.value, "savedefault") == 0;
		}
		words = token.kind == GRUB_WORD && !grub_leads(&token) ? words + 1 : 0;
		/* kept back, so that what is left out takes the line before it with it */
		if (token.kind == GRUB_SEPARATOR)
			continue;
		if (left_out && token.kind == GRUB_WORD) {
			printed = token.end;
			continue;
		}
		put_gap((struct text) { script.bytes + printed, token.start - printed },
			indentation);
		put((struct text) { script.bytes + token.start, token.end - token.start });
		printed = token.end;
		if (loads && word && words == 2)
			(void)printf(" %s", word);
	}
	put_gap((struct text) { script.bytes + printed, entry->end - printed }, indentation);
}

static void put_maintenance(const struct request *request, const struct grub_entry *entry,
			    const struct header *header, const char *id)
{
	(void)fputs("\t\tmenuentry ", stdout);
	put_quoted(header->title, " (maintenance)");
	(void)printf("%s $menuentry_id_option ", header->classes);
	put_quoted(id, "");
	(void)fputs(" --users ", stdout);
	put_quoted(request->users, "");
	(void)fputs(" {", stdout);
	put_body(request->script, entry, "maintenance");
	(void)fputs("}\n", stdout);
}

static int print_open(const struct request *request)
{
	static struct header header;
	int code = NO;

	for (size_t i = 0; i < request->menu->count; i++) {
		const struct grub_entry *entry = &request->menu->entries[i];

		if (!entry->open)
			continue;
		code = YES;
		if (entry->function)
			(void)fputs("function ", stdout);
		if (read_header(request->script, entry, &header)) {
			/* os-prober takes titles from other systems */
			results_clean(header.title);
			(void)puts(header.title);
		} else {
			(void)printf("line %u\n", line_of(request->script, entry->start));
		}
	}
	return code;
}

static int not_understood(const struct request *request, const struct grub_entry *entry)
{
	complain(request->script, entry->start, "an entry that is not understood");
	return UNREADABLE;
}

/* The first entry of 10_linux, which must be a normal one and stand in no submenu. */
static int find_normal(const struct request *request, const struct grub_entry **normal)
{
	for (size_t i = 0; i < request->menu->count; i++) {
		const struct grub_entry *entry = &request->menu->entries[i];

		if (!entry->by_10_linux)
			continue;
		*normal = entry;
		if (!entry->open && entry->depth == 0)
			return YES;
		complain(request->script, entry->start,
			 entry->open ? "the first entry has the word maintenance"
				     : "the first entry is in a submenu");
		return UNREADABLE;
	}
	return NO;
}

static int print_id(const struct request *request)
{
	static struct header header;
	const struct grub_entry *entry;
	int code = find_normal(request, &entry);

	if (code != YES)
		return code;
	if (!read_header(request->script, entry, &header) || header.id[0] == '\0') {
		complain(request->script, entry->start, "the first entry has no id");
		return UNREADABLE;
	}
	for (const char *at = header.id; *at; at++) {
		if (*at == '>')
			(void)putchar('>');
		(void)putchar(*at);
	}
	(void)putchar('\n');
	return YES;
}

static int print_normal(const struct request *request)
{
	const struct grub_entry *entry;
	int code = find_normal(request, &entry);

	if (code != YES)
		return code;
	(void)fputs("\t\t", stdout);
	put((struct text) { request->script.bytes + entry->start, entry->body - entry->start });
	put_body(request->script, entry, NULL);
	(void)fputs("}\n", stdout);
	return YES;
}

/*
 * One entry for each kernel: the first, and rather one of a submenu, whose title has the kernel's
 * version, than the one above. Those for recovery or another init come behind it, and older states
 * of a ZFS deeper.
 */
static size_t choose(const struct grub_menu *menu, const struct grub_entry **chosen)
{
	size_t count = 0;

	for (size_t i = 0; i < menu->count; i++) {
		const struct grub_entry *entry = &menu->entries[i];
		size_t at = 0;

		if (!entry->by_10_linux || entry->depth > 1)
			continue;
		while (at < count && !text_same(chosen[at]->kernel, entry->kernel))
			at++;
		if (at == count)
			chosen[count++] = entry;
		else if (chosen[at]->depth < entry->depth)
			chosen[at] = entry;
	}
	return count;
}

/* The version in a kernel's path, as 10_linux finds it: behind the last - before any digit. */
static bool version_of(const struct grub_entry *entry, char *version)
{
	static struct grub_token token;
	struct grub_lexer lexer = { entry->kernel, 0 };
	static const char signed_by[] = ".efi.signed";
	const char *name;
	size_t length;

	grub_token(&lexer, &token);
	if (token.expands)
		return false;
	name = strrchr(token.value, '/');
	name = name ? name + 1 : token.value;
	for (const char *at = name; *at && !(*at >= '0' && *at <= '9'); at++) {
		if (*at == '-')
			name = at + 1;
	}
	length = strlen(name);
	if (length > strlen(signed_by) && strcmp(name + length - strlen(signed_by), signed_by) == 0)
		length -= strlen(signed_by);
	memcpy(version, name, length);
	version[length] = '\0';
	return true;
}

static int print_maintenance(const struct request *request)
{
	static const struct grub_entry *chosen[GRUB_ENTRIES];
	static char ids[GRUB_ENTRIES][512];
	static char version[GRUB_VALUE];
	static struct header header;
	size_t count = choose(request->menu, chosen);

	/* all are judged before any is printed: what cannot be whole is not begun */
	for (size_t i = 0; i < count; i++) {
		size_t length, twins = 0;

		if (!read_header(request->script, chosen[i], &header) ||
		    !version_of(chosen[i], version) ||
		    strlen(request->id) + strlen(version) + 16 > sizeof ids[i])
			return not_understood(request, chosen[i]);
		length = (size_t)snprintf(ids[i], sizeof ids[i], "%s-%s", request->id, version);
		/* two kernels of one version: in / and /boot, or of two names */
		for (size_t other = 0; other < i; other++)
			twins += strncmp(ids[other], ids[i], length) == 0 &&
				 (ids[other][length] == '\0' || ids[other][length] == ' ');
		if (twins > 0)
			(void)snprintf(ids[i] + length, sizeof ids[i] - length, " (%zu)",
				       twins + 1);
	}
	for (size_t i = 0; i < count; i++) {
		(void)read_header(request->script, chosen[i], &header);
		put_maintenance(request, chosen[i], &header, ids[i]);
	}
	return count > 0 ? YES : NO;
}

int main(int argc, char **argv)
{
	static char input[LONGEST];
	static struct grub_menu menu;
	struct request request = { .script = { input, 0 }, .menu = &menu };
	int (*answer)(const struct request *) = NULL;
	unsigned line;
	int code;

	if (argc == 2 && strcmp(argv[1], "open") == 0)
		answer = print_open;
	else if (argc == 2 && strcmp(argv[1], "normal") == 0)
		answer = print_normal;
	else if (argc == 2 && strcmp(argv[1], "id") == 0)
		answer = print_id;
	else if (argc == 4 && strcmp(argv[1], "maintenance") == 0)
		answer = print_maintenance;
	if (!answer) {
		(void)fputs("usage: noptrace-grub open|normal|id|maintenance ID USERS\n", stderr);
		return USAGE;
	}
	request.id = argv[2];
	request.users = argc == 4 ? argv[3] : NULL;
	request.script.length = fread(input, 1, sizeof input, stdin);
	if (ferror(stdin) || !feof(stdin)) {
		(void)fputs("the configuration cannot be read, or is longer than 4 MiB\n", stderr);
		return UNREADABLE;
	}
	if (!grub_read(request.script, &menu, &line)) {
		(void)fprintf(stderr, "line %u of the configuration cannot be read\n", line);
		return UNREADABLE;
	}
	if (menu.bls && answer != print_open)
		return BLS;
	code = answer(&request);
	return is_written(stdout) ? code : UNREADABLE;
}

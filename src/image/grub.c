/* SPDX-License-Identifier: MIT */
/* A configuration of GRUB as grub.h has it. */
#include <string.h>

#include "grub.h"
#include "words.h"

/* Blocks within blocks. */
enum { DEEPEST = 32 };

/* The longest command line that is put together. */
enum { LINE = 4 * GRUB_VALUE };

/* So does a NUL, which is no character of GRUB's. */
static bool ends_word(char byte)
{
	return strchr(" \t\n{}|&;<>", byte) != NULL;
}

static bool is_name(char byte, bool first)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
	       (!first && byte >= '0' && byte <= '9');
}

/* How many bytes a variable at the start of the text takes, its $ included; 0: it is none. */
static size_t variable(struct text text)
{
	size_t braced = text.length > 1 && text.bytes[1] == '{';
	size_t at = 1 + braced;

	if (at < text.length && is_name(text.bytes[at], true)) {
		while (at < text.length && is_name(text.bytes[at], false))
			at++;
	} else if (at < text.length && strchr("?#*@", text.bytes[at]) && text.bytes[at] != '\0') {
		at++;
	} else {
		while (at < text.length && text.bytes[at] >= '0' && text.bytes[at] <= '9')
			at++;
		if (at == 1 + braced)
			return 0;
	}
	if (braced && (at >= text.length || text.bytes[at] != '}'))
		return 0;
	return at + braced;
}

static void keep(struct grub_token *token, char byte)
{
	if (token->length + 1 < sizeof token->value)
		token->value[token->length] = byte;
	token->length++;
}

/* A variable or a single $, in quotes or out of them. */
static void dollar(struct grub_lexer *lexer, struct grub_token *token)
{
	struct text script = lexer->script;
	size_t length =
	    variable((struct text) { script.bytes + lexer->at, script.length - lexer->at });

	token->expands = token->expands || length > 0;
	if (length == 0)
		keep(token, '$');
	lexer->at += length > 0 ? length : 1;
}

/* From behind an opening quote to behind its end. False: it has none. */
static bool quoted(struct grub_lexer *lexer, struct grub_token *token, char quote)
{
	struct text script = lexer->script;

	while (lexer->at < script.length && script.bytes[lexer->at] != quote) {
		char byte = script.bytes[lexer->at];
		char next = '\0';

		if (lexer->at + 1 < script.length)
			next = script.bytes[lexer->at + 1];

		if (quote == '"' && byte == '$') {
			dollar(lexer, token);
			continue;
		}
		if (quote == '"' && byte == '\\' && next != '\0' && strchr("\\\"$\n", next)) {
			if (next != '\n')
				keep(token, next);
			lexer->at += 2;
			continue;
		}
		keep(token, byte);
		lexer->at++;
	}
	return lexer->at++ < script.length;
}

static enum grub_kind word(struct grub_lexer *lexer, struct grub_token *token)
{
	struct text script = lexer->script;

	token->plain = true;
	while (lexer->at < script.length && !ends_word(script.bytes[lexer->at])) {
		char byte = script.bytes[lexer->at];

		if (byte == '\'' || byte == '"') {
			token->plain = false;
			lexer->at++;
			if (!quoted(lexer, token, byte))
				return GRUB_BAD;
		} else if (byte == '\\') {
			token->plain = false;
			if (lexer->at + 1 >= script.length)
				return GRUB_BAD;
			if (script.bytes[lexer->at + 1] != '\n')
				keep(token, script.bytes[lexer->at + 1]);
			lexer->at += 2;
		} else if (byte == '$') {
			token->plain = false;
			/* $" begins a text that may be translated: to us it is one in " */
			if (lexer->at + 1 < script.length && script.bytes[lexer->at + 1] == '"')
				lexer->at++;
			else
				dollar(lexer, token);
		} else {
			keep(token, byte);
			lexer->at++;
		}
	}
	/* a NUL is no character of GRUB's */
	if (token->length >= sizeof token->value || memchr(token->value, '\0', token->length) ||
	    lexer->at == token->start)
		return GRUB_BAD;
	return GRUB_WORD;
}

/* How many bytes of blank this text begins with. A line that is continued where no word is has one
 * there that is nothing to GRUB; before a word the \ is a part of it. */
static size_t blank(struct text text)
{
	size_t length = 0;

	while (length + 1 < text.length && memcmp(text.bytes + length, "\\\n", 2) == 0)
		length += 2;
	if (length > 0)
		return length == text.length || ends_word(text.bytes[length]) ? length : 0;
	return text.length > 0 && (text.bytes[0] == ' ' || text.bytes[0] == '\t');
}

static void find_token(struct grub_lexer *lexer, struct grub_token *token)
{
	struct text script = lexer->script;
	size_t length;

	while ((length = blank(
		    (struct text) { script.bytes + lexer->at, script.length - lexer->at })) > 0)
		lexer->at += length;
	token->start = lexer->at;
	if (lexer->at >= script.length) {
		token->kind = GRUB_END;
		return;
	}
	switch (script.bytes[lexer->at]) {
	case '\n':
	case ';':
		token->kind = GRUB_SEPARATOR;
		lexer->at++;
		break;
	case '{':
		token->kind = GRUB_OPEN;
		lexer->at++;
		break;
	case '}':
		token->kind = GRUB_CLOSE;
		lexer->at++;
		break;
	case '#':
		token->kind = GRUB_COMMENT;
		while (lexer->at < script.length && script.bytes[lexer->at] != '\n')
			lexer->at++;
		break;
	default:
		token->kind = word(lexer, token);
		break;
	}
}

void grub_token(struct grub_lexer *lexer, struct grub_token *token)
{
	token->length = 0;
	token->plain = false;
	token->expands = false;
	find_token(lexer, token);
	token->end = lexer->at;
	token->value[token->length < sizeof token->value ? token->length : 0] = '\0';
}

bool grub_leads(const struct grub_token *token)
{
	/* time is a command, which runs the one behind it */
	static const char *const leaders[] = { "if",	"then", "else", "elif", "while",
					       "until", "do",	"!",	"time", NULL };

	return token->plain && text_is_any(text_of(token->value), leaders);
}

bool grub_loads_linux(const char *command)
{
	static const char *const loaders[] = { "linux", "linux16", "linuxefi", NULL };

	return text_is_any(text_of(command), loaders);
}

/* Under Xen, on arm64 too, as a program of the firmware's, or in a menu of GRUB 0.97. */
static bool loads_otherwise(const char *command)
{
	static const char *const loaders[] = { "module",    "module2",	   "xen_module",
					       "xen_linux", "chainloader", "legacy_kernel",
					       NULL };

	return text_is_any(text_of(command), loaders);
}

enum block { MENUENTRY, SUBMENU, FUNCTION, OTHER };

struct reader {
	struct grub_menu *menu;
	struct text script;
	enum block blocks[DEEPEST];
	size_t depth;
	bool by_10_linux; /* the section that is read */
	bool failed;
	bool in_entry;
	struct grub_entry entry;
	unsigned linux_lines;

	/* the statement that is read */
	size_t words;
	size_t start;
	char command[32];
	bool hidden;	 /* which command it is, and what its words are, is known to GRUB alone */
	char line[LINE]; /* its command line, as GRUB hands it to the kernel */
	size_t line_length;
};

static void section(struct reader *reader, struct text comment)
{
	static const char begin[] = "### BEGIN ";
	const char *name;
	const char *slash;
	const char *end;

	if (text_begins(comment, "### END "))
		reader->by_10_linux = false;
	if (!text_begins(comment, begin))
		return;
	name = comment.bytes + strlen(begin);
	end = memmem(name, comment.length - strlen(begin), " ###", 4);
	if (!end)
		return;
	slash = memrchr(name, '/', (size_t)(end - name));
	name = slash ? slash + 1 : name;
	/* Ubuntu's 10_linux_zfs as well */
	reader->by_10_linux = text_begins((struct text) { name, (size_t)(end - name) }, "10_linux");
}

static void add(struct reader *reader, char byte)
{
	if (reader->line_length < sizeof reader->line)
		reader->line[reader->line_length++] = byte;
	else
		reader->failed = true;
}

/* As GRUB does it (grub-core/lib/cmdline.c): an argument with a space in it goes into quotes. */
static void add_argument(struct reader *reader, const struct grub_token *token)
{
	bool spaced = !reader->hidden && memchr(token->value, ' ', token->length) != NULL;

	if (token->length == 0 && token->expands)
		return;
	if (reader->line_length > 0)
		add(reader, ' ');
	if (spaced)
		add(reader, '"');
	for (size_t i = 0; i < token->length; i++) {
		char byte = token->value[i];

		/* GRUB makes new words of it */
		if (reader->hidden && strchr("\n;{}", byte))
			byte = ' ';
		if (strchr("\\'\"", byte)) {
			if (reader->hidden)
				continue;
			add(reader, '\\');
		}
		add(reader, byte);
	}
	if (spaced)
		add(reader, '"');
}

static unsigned submenus(const struct reader *reader)
{
	unsigned count = 0;

	for (size_t i = 0; i < reader->depth; i++) {
		if (reader->blocks[i] != SUBMENU)
			return DEEPEST;
		count++;
	}
	return count;
}

static void open_block(struct reader *reader, size_t body)
{
	enum block block = OTHER;

	if (strcmp(reader->command, "submenu") == 0)
		block = SUBMENU;
	else if (strcmp(reader->command, "function") == 0)
		block = FUNCTION;
	else if (strcmp(reader->command, "menuentry") == 0)
		block = MENUENTRY;
	if ((block == MENUENTRY || block == FUNCTION) && !reader->in_entry &&
	    submenus(reader) < DEEPEST) {
		reader->in_entry = true;
		reader->linux_lines = 0;
		reader->entry = (struct grub_entry) { .start = reader->start,
						      .body = body,
						      .depth = submenus(reader),
						      .function = block == FUNCTION,
						      .by_10_linux = reader->by_10_linux &&
								     block == MENUENTRY };
		block = MENUENTRY;
	} else if (block == MENUENTRY) {
		block = OTHER;
	}
	if (reader->depth == DEEPEST)
		reader->failed = true;
	else
		reader->blocks[reader->depth++] = block;
}

static void add_entry(struct reader *reader, const struct grub_entry *entry)
{
	if (reader->menu->count == GRUB_ENTRIES)
		reader->failed = true;
	else
		reader->menu->entries[reader->menu->count++] = *entry;
}

static void close_block(struct reader *reader, size_t end)
{
	if (reader->depth == 0) {
		reader->failed = true;
		return;
	}
	if (reader->blocks[--reader->depth] != MENUENTRY)
		return;
	reader->in_entry = false;
	reader->entry.end = end;
	if (reader->linux_lines == 0 && !reader->entry.open)
		return;
	reader->entry.by_10_linux = reader->entry.by_10_linux && reader->linux_lines > 0;
	add_entry(reader, &reader->entry);
}

static void add_word(struct reader *reader, const struct grub_token *token)
{
	struct text raw = { reader->script.bytes + token->start, token->end - token->start };

	/* RHEL 8's entries have their command line from this variable of grubenv */
	if (reader->by_10_linux && text_has_word(raw, "kernelopts"))
		reader->menu->bls = true;
	if (reader->words == 0) {
		reader->start = token->start;
		reader->line_length = 0;
		reader->command[0] = '\0';
		reader->hidden = token->expands || strcmp(token->value, "eval") == 0;
		if (token->length < sizeof reader->command)
			memcpy(reader->command, token->value, token->length + 1);
	} else if (reader->words == 1 && reader->in_entry && grub_loads_linux(reader->command)) {
		if (reader->linux_lines++ == 0)
			reader->entry.kernel = raw;
	} else if (reader->words > 1 || reader->hidden) {
		add_argument(reader, token);
	}
	reader->words++;
	if (grub_leads(token) && reader->words == 1)
		reader->words = 0;
}

static void end_statement(struct reader *reader)
{
	if (reader->words > 0 && reader->by_10_linux && strcmp(reader->command, "blscfg") == 0)
		reader->menu->bls = true;
	if (reader->words > 1 &&
	    (reader->hidden || grub_loads_linux(reader->command) ||
	     loads_otherwise(reader->command)) &&
	    words_has((struct text) { reader->line, reader->line_length }, "maintenance")) {
		/* what is in none runs when the menu is read, or a submenu is opened */
		if (reader->in_entry)
			reader->entry.open = true;
		else
			add_entry(reader,
				  &(struct grub_entry) { .start = reader->start, .open = true });
	}
	reader->words = 0;
}

static bool take(struct reader *reader, const struct grub_token *token)
{
	switch (token->kind) {
	case GRUB_END:
		end_statement(reader);
		return reader->depth == 0;
	case GRUB_BAD:
		return false;
	case GRUB_COMMENT:
		section(reader, (struct text) { reader->script.bytes + token->start,
						token->end - token->start });
		break;
	case GRUB_WORD:
		add_word(reader, token);
		break;
	case GRUB_OPEN:
		if (reader->words == 0)
			return false;
		open_block(reader, token->end);
		end_statement(reader);
		break;
	case GRUB_CLOSE:
		end_statement(reader);
		close_block(reader, token->start);
		break;
	case GRUB_SEPARATOR:
		end_statement(reader);
		break;
	}
	return !reader->failed;
}

bool grub_read(struct text script, struct grub_menu *menu, unsigned *line)
{
	static struct reader reader;
	static struct grub_token token;
	struct grub_lexer lexer = { script, 0 };

	reader = (struct reader) { .menu = menu, .script = script };
	menu->count = 0;
	menu->bls = false;
	do {
		grub_token(&lexer, &token);
		if (take(&reader, &token))
			continue;
		*line = 1;
		for (size_t i = 0; i < token.start; i++)
			*line += script.bytes[i] == '\n';
		return false;
	} while (token.kind != GRUB_END);
	return true;
}

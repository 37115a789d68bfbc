/* SPDX-License-Identifier: MIT */
/* Lines of shell scripts, as shell.h has them. */
#include <string.h>

#include "shell.h"

const char *const shell_pivots[] = { "switch_root", "run-init", "pivot_root", NULL };

/* Whether a shell runs nothing of a line that goes on no other: it begins with # and has nothing
 * that ends a string, a here-document or an expansion around it, or is expanded in one. */
static bool is_comment(struct text line)
{
	line = text_strip(line, " \t");
	if (!text_begins(line, "#"))
		return false;
	for (size_t i = 0; i < line.length; i++) {
		if (strchr("'\"`$)}]", line.bytes[i]))
			return false;
	}
	return true;
}

const char *shell_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool shell_heeds(struct text name)
{
	static const char *const names[] = {
		"ENV",	    "EUID",	  "EXECIGNORE", "FPATH",
		"FUNCNEST", "GLOBIGNORE", "IFS",	"POSIXLY_CORRECT",
		"PPID",	    "PS4",	  "SHELLOPTS",	"UID",
		NULL
	};

	return text_is_any(name, names) || text_begins(name, "BASH") || text_begins(name, "LD_");
}

bool shell_is_option(struct text word)
{
	return text_begins(word, "-") && word.length > 1 && text_strip(word, "aefuvx").length == 1;
}

bool shell_is_literal(char byte)
{
	return text_byte_is_of_word(byte) || text_byte_is_any(byte, "/.,:=+@%-");
}

/* The same in a string of either kind: what stands in '' is expanded where it is PS4. */
static bool is_literal_in_quotes(char byte)
{
	return (unsigned char)byte >= ' ' && byte != '\x7f' && !text_byte_is_any(byte, "$`\\");
}

/* The same of one behind others of its word: no shell looks for a home there. */
static bool is_literal_behind(char before, char byte)
{
	return shell_is_literal(byte) || (byte == '~' && text_byte_is_of_word(before));
}

/* Whether a backslash there, in a string in "", makes the byte behind it literal. */
static bool escapes(struct text line, size_t at)
{
	return line.bytes[at] == '\\' && at + 1 < line.length &&
	       text_byte_is_any(line.bytes[at + 1], "\"$\\`");
}

/* The byte before that one; a blank at the start. */
static char byte_before(struct text line, size_t at)
{
	if (at == 0)
		return ' ';
	return line.bytes[at - 1];
}

/* Takes a word off the line, which is not empty. */
static bool next_literal(struct text *line, char *word, size_t size, bool *escaped)
{
	size_t length = 0;
	size_t at = 0;
	char quote = '\0';

	for (; at < line->length && (quote || !text_byte_is_any(line->bytes[at], " \t")); at++) {
		char byte = line->bytes[at];
		bool escape = quote == '"' && escapes(*line, at);
		bool literal = escape || (quote ? is_literal_in_quotes(byte)
						: is_literal_behind(byte_before(*line, at), byte));

		if (escape) {
			byte = line->bytes[++at];
			*escaped = true;
		}
		if (!escape && quote && byte == quote)
			quote = '\0';
		else if (!quote && text_byte_is_any(byte, "'\""))
			quote = byte;
		else if (literal && length + 1 < size)
			word[length++] = byte;
		else
			return false;
	}
	word[length] = '\0';
	*line = text_from(*line, at);
	return !quote;
}

/* How long the name is that the line's first word sets, or 0. */
static size_t name_of_setting(struct text line)
{
	size_t length = 0;

	while (length < line.length && text_byte_is_of_word(line.bytes[length]))
		length++;
	if (length == line.length || line.bytes[length] != '=' ||
	    text_byte_is_any(line.bytes[0], "0123456789"))
		return 0;
	return length;
}

bool shell_words(struct text line, struct shell_words *words)
{
	words->count = 0;
	words->escaped = false;
	/* which some shells drop, and others take for an end */
	if (memchr(line.bytes, '\0', line.length))
		return false;
	for (line = text_strip(line, " \t"); line.length > 0; line = text_strip(line, " \t")) {
		if (line.bytes[0] == '#')
			return true;
		if (words->count == sizeof words->word / sizeof *words->word)
			return false;
		words->name[words->count] = name_of_setting(line);
		if (!next_literal(&line, words->word[words->count++], sizeof *words->word,
				  &words->escaped))
			return false;
	}
	return true;
}

/* What the next word may be. */
enum position {
	FIRST,	 /* what a command begins with, a keyword too, */
	NAME,	 /* its name, behind settings and redirections, */
	ARGUMENT /* neither */
};

/* Where a script has come to. All zero is its start. */
struct shell {
	unsigned depth;	 /* of if, case, loops and braces */
	unsigned parens; /* that are open; a pattern of case has but the other */
	char quote;	 /* of a string that has not ended, or 0 */
	bool joined;	 /* the next line is a part of this one */
	bool pending;	 /* of the command, behind &&, ||, | or a function's () */
	bool chained;	 /* to one of these, or a parenthesis, before it */
	bool closed;	 /* a block ends in this command, or those that it is piped to */
	enum position next;
	bool execs;    /* the next word is one behind exec and its redirections, */
	bool sets;     /* or behind set and its options, */
	bool target;   /* or the file of a redirection, */
	bool lost;     /* it need not come to any of the lines behind, or read them so */
	char word[64]; /* and the last one, as far as one that is known may be long */
	size_t length;
};

static void add(struct shell *shell, char byte)
{
	shell->pending = false;
	if (shell->length < sizeof shell->word)
		shell->word[shell->length++] = byte;
}

/* Whether a word behind exec is of a redirection, or the file of the last one: with these alone the
 * script goes on. One that is cut, or is anything else, is not. */
static bool redirects(struct shell *shell, struct text word)
{
	bool target = shell->target;
	size_t at = 0;

	shell->target = false;
	if (word.length == sizeof shell->word)
		return false;
	if (target)
		return true;
	while (at < word.length && word.bytes[at] >= '0' && word.bytes[at] <= '9')
		at++;
	if (at == word.length || !text_byte_is_any(word.bytes[at], "<>"))
		return false;
	shell->target = text_byte_is_any(word.bytes[word.length - 1], "<>&|");
	return true;
}

static bool has_any(struct text text, const char *bytes)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text_byte_is_any(text.bytes[i], bytes))
			return true;
	}
	return false;
}

/* What of a word is before a redirection in it. */
static struct text before_redirection(struct text word)
{
	size_t length = 0;

	while (length < word.length && !text_byte_is_any(word.bytes[length], "<>"))
		length++;
	return (struct text) { word.bytes, length };
}

/* Whether the name of the command is yet to come behind this word in its place. */
static bool precedes_name(struct text word)
{
	static const char *const callers[] = { "builtin", "command", NULL };
	struct text name = before_redirection(word);

	if (name.length < word.length &&
	    (text_strip(name, "0123456789").length == 0 || text_begins(name, "{")))
		return true;
	return has_any(name, "=") || text_begins(name, "-") || text_is_any(name, callers);
}

/* Whether a word behind set keeps the shell from running the next lines, or may do so. */
static bool stops(struct text word)
{
	return has_any(word, "'\"`$\\") ||
	       (text_begins(word, "-") && !text_is(word, "--") && !shell_is_option(word));
}

/* Whether with this word the script ends, or changes what words mean. */
static bool ends(struct shell *shell, struct text word)
{
	/* behind the others of bash a block may begin that is not seen */
	static const char *const odd[] = { "alias", "time", "function", "coproc", NULL };
	static const char *const ending[] = { "exit", "return", NULL };
	struct text name = before_redirection(word);
	bool execs = shell->execs && !redirects(shell, word);

	if (shell->next != ARGUMENT && text_is_any(name, odd))
		return true;
	if (shell->depth > 0 || shell->parens > 0 || shell->chained)
		return false;
	if (shell->next == ARGUMENT)
		return execs || (shell->sets && stops(word));
	/* a name that is quoted, or expanded, may be any; and one that is cut may be a setting */
	return text_is_any(name, ending) || word.length == sizeof shell->word ||
	       (!precedes_name(word) && has_any(name, "'\"`$\\"));
}

/* Takes a word in the place of a command's name, for what comes behind it. */
static void name_command(struct shell *shell, struct text word)
{
	struct text name = before_redirection(word);

	shell->execs = text_is(name, "exec");
	shell->sets = text_is(name, "set");
	shell->next = precedes_name(word) ? NAME : ARGUMENT;
	if (name.length == word.length)
		return;
	shell->target = text_byte_is_any(word.bytes[word.length - 1], "<>&|");
	/* the end is not seen */
	shell->lost = shell->lost || word.length == sizeof shell->word;
}

static void end_word(struct shell *shell)
{
	static const char *const opening[] = { "if",   "for",	 "while", "until",
					       "case", "select", "{",	  NULL };
	static const char *const closing[] = { "fi", "done", "esac", "}", NULL };
	static const char *const before_commands[] = { "if",   "while", "until", "then", "else",
						       "elif", "do",	"!",	 "{",	 NULL };
	struct text word = { shell->word, shell->length };
	bool first = shell->next == FIRST;

	if (word.length == 0)
		return;
	shell->length = 0;
	if (shell->target && shell->next == NAME) {
		shell->target = false;
		return;
	}
	shell->lost = shell->lost || ends(shell, word);
	if (first && text_is_any(word, opening)) {
		shell->depth++;
	} else if (first && text_is_any(word, closing)) {
		shell->depth--;
		shell->closed = true;
		/* nothing ends where something has but begun: it is a pattern of case */
		shell->lost = shell->lost || shell->chained;
	}
	if (first && text_is_any(word, before_commands))
		return;
	if (shell->next != ARGUMENT) {
		name_command(shell, word);
	} else {
		shell->sets =
		    shell->sets && text_byte_is_any(word.bytes[0], "-+") && !text_is(word, "--");
	}
}

static void end_command(struct shell *shell)
{
	end_word(shell);
	shell->next = FIRST;
	shell->execs = false;
	shell->sets = false;
	shell->target = false;
}

/* One of ;&|() in a line, at `at`. */
static void separate(struct shell *shell, struct text line, size_t at)
{
	char byte = line.bytes[at];
	struct text before = { line.bytes, at };

	end_word(shell);
	/* to bash &> is no end */
	shell->lost = shell->lost || (shell->execs && byte == '&' && at + 1 < line.length &&
				      line.bytes[at + 1] == '>');
	end_command(shell);
	/* so is what ends before a parenthesis that was not open */
	shell->lost = shell->lost || (byte == ')' && shell->parens == 0 && shell->closed);
	shell->closed = shell->closed && byte == '|';
	if (byte == '(')
		shell->parens++;
	else if (byte == ')' && shell->parens > 0)
		shell->parens--;
	/* behind () comes what a function does */
	shell->pending = byte == '|' || (byte == '&' && text_ends(before, "&")) ||
			 (byte == ')' && text_ends(text_strip(before, " \t"), "("));
	shell->chained = shell->pending || byte == '(';
}

/* Whether what stands there is the & of <& or >&, or the | of >|. */
static bool is_of_redirection(struct text line, size_t at)
{
	return at > 0 &&
	       text_byte_is_any(line.bytes[at - 1], line.bytes[at] == '&'   ? "<>"
						    : line.bytes[at] == '|' ? ">"
									    : "") &&
	       (at < 2 || line.bytes[at - 2] != '\\');
}

/* Takes the next line. Here-documents are not known. */
static void feed(struct shell *shell, struct text line)
{
	unsigned expansions = 0;

	shell->joined = false;
	/* which shells drop */
	shell->lost = shell->lost || memchr(line.bytes, '\0', line.length);
	for (size_t i = 0; i < line.length; i++) {
		char byte = line.bytes[i];

		if (byte == '{' && i > 0 && line.bytes[i - 1] == '$' && shell->quote != '\'')
			expansions++;
		else if (byte == '}' && expansions > 0)
			expansions--;
		if (byte == '\\' && shell->quote != '\'') {
			shell->joined = ++i == line.length;
			if (!shell->joined && !shell->quote)
				add(shell, byte);
		} else if (shell->quote) {
			if (byte == shell->quote)
				shell->quote = '\0';
		} else if (byte == '#' && shell->length == 0) {
			break;
		} else if (text_byte_is_any(byte, " \t")) {
			end_word(shell);
		} else if (text_byte_is_any(byte, ";&|()") && !is_of_redirection(line, i)) {
			separate(shell, line, i);
		} else {
			/* so that no keyword is quoted */
			add(shell, byte);
			if (text_byte_is_any(byte, "'\"`"))
				shell->quote = byte;
			/* in which only some shells take a backslash for one */
			if (byte == '\'' && i > 0 && line.bytes[i - 1] == '$')
				shell->lost = true;
		}
	}
	/* which would take the next lines */
	shell->lost = shell->lost || expansions > 0;
	if (shell->joined || shell->quote)
		return;
	end_command(shell);
	shell->chained = shell->pending;
	shell->closed = false;
}

/* Whether the next line begins a command which is run whatever those before it did. */
static bool is_apart(const struct shell *shell)
{
	return !shell->lost && shell->depth == 0 && shell->parens == 0 && !shell->quote &&
	       !shell->joined && !shell->pending;
}

bool shell_is_whole(struct text line)
{
	struct shell shell = { 0 };
	char quote = '\0';

	/* which some shells drop, in a comment too */
	if (memchr(line.bytes, '\0', line.length))
		return false;
	for (size_t i = 0; i < line.length; i++) {
		char byte = line.bytes[i];
		char before = byte_before(line, i);

		/* behind these the next line may belong to this one, unseen */
		if (text_byte_is_any(byte, "\\`") ||
		    (text_byte_is_any(byte, "[()") && (!quote || before == '$')))
			return false;
		if (quote) {
			if (byte == quote)
				quote = '\0';
		} else if (text_byte_is_any(byte, "'\"")) {
			quote = byte;
		} else if (byte == '#' && text_byte_is_any(before, " \t")) {
			line.length = i;
		} else if (byte == '&' && !is_of_redirection(line, i)) {
			if (i + 1 == line.length || line.bytes[++i] != '&')
				return false;
		}
	}
	feed(&shell, line);
	return is_apart(&shell) && !text_has(line, "<<") && !text_has(line, "${");
}

unsigned shell_line_of(struct text script, bool (*is)(struct text line))
{
	struct shell shell = { 0 };
	struct text line;

	for (unsigned number = 1; text_line(&script, &line); number++) {
		if (is_apart(&shell) && is(text_strip(line, " \t")))
			return number;
		if (text_has(line, "<<") || text_ends(line, "<\\"))
			return 0;
		feed(&shell, line);
	}
	return 0;
}

unsigned shell_line_with(struct text script, const char *const *words)
{
	struct text line;

	for (unsigned number = 1; text_line(&script, &line); number++) {
		for (size_t i = 0; !is_comment(line) && words[i]; i++) {
			if (text_has_word(line, words[i]))
				return number;
		}
	}
	return 0;
}

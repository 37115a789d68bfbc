/* SPDX-License-Identifier: MIT */
/* What unsquashfs says about a file system; see pseudo.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive.h"
#include "limits.h"
#include "pseudo.h"

enum { FIELD = 2 * KERNEL_PATH, MODE_LENGTH = 10 };

/* A place in the text. */
struct reader {
	struct source *source;
	struct tree *tree;
	struct failure *failure;
	uint64_t at;
	unsigned entries;
};

/* The next byte, or EOF at the end. */
static int next(struct reader *reader)
{
	const unsigned char *data;
	size_t length;

	if (!source_at(reader->source, reader->at, &data, &length, reader->failure) || length == 0)
		return EOF;
	reader->at++;
	return data[0];
}

static bool odd(struct failure *failure, const char *what)
{
	(void)fail(failure, "squashfs root: %s", what);
	return false;
}

bool pseudo_has_whole_lines(FILE *list, struct failure *failure)
{
	unsigned lines = 0;
	int byte;

	do {
		char start[MODE_LENGTH + 2] = "";
		size_t length = 0;
		bool slash = false;
		bool over =
		    false; /* the second field, which is uid/gid: no type in a pseudo file */

		while ((byte = getc(list)) != EOF && byte != '\n') {
			if (length < sizeof start)
				start[length++] = (char)byte;
			slash = slash || (byte == '/' && !over);
			over = over || (byte == ' ' && length > MODE_LENGTH + 1);
		}
		if (length == 0)
			continue;
		if (!slash || start[MODE_LENGTH] != ' ' || start[MODE_LENGTH + 1] < '0' ||
		    start[MODE_LENGTH + 1] > '9' || !strchr("-dlcbps", start[0]) ||
		    strspn(start + 1, "rwxstST-") != MODE_LENGTH - 1)
			return odd(failure, "a name or a link with a newline in it");
		if (++lines > LIMIT_ENTRIES)
			return odd(failure, "more entries than are looked at");
	} while (byte != EOF);
	return !ferror(list) || odd(failure, "its list cannot be read");
}

/*
 * A field, up to a blank or the end of the line; a backslash takes what follows it as it is. Leaves
 * what ended it in *end. False if it is too long or the text is at its end.
 */
static bool field(struct reader *reader, char *to, int *end)
{
	size_t length = 0;
	int byte;

	while ((byte = next(reader)) != EOF && byte != ' ' && byte != '\n') {
		if (byte == '\\')
			byte = next(reader);
		if (byte == EOF || byte == '\0' || length + 1 >= FIELD)
			return odd(reader->failure, "a name that is too long");
		to[length++] = (char)byte;
	}
	to[length] = '\0';
	*end = byte;
	return byte != EOF || odd(reader->failure, "its list is cut short");
}

/* The rest of the line, as it is. */
static bool rest(struct reader *reader, char *to)
{
	size_t length = 0;
	int byte;

	while ((byte = next(reader)) != EOF && byte != '\n') {
		if (byte == '\0' || length + 1 >= FIELD)
			return odd(reader->failure, "a link that is too long");
		to[length++] = (char)byte;
	}
	to[length] = '\0';
	return byte != EOF || odd(reader->failure, "its list is cut short");
}

static bool skip_line(struct reader *reader)
{
	int byte;

	while ((byte = next(reader)) != EOF && byte != '\n')
		;
	return byte != EOF || odd(reader->failure, "its list is cut short");
}

/* What a line says; offsets count from behind the list. */
struct entry {
	char name[FIELD], other[FIELD];
	char type;
	mode_t mode;
	uint64_t size, offset;
};

static bool number(struct reader *reader, int base, uint64_t *value, int *end)
{
	char digits[FIELD];
	char *behind = NULL;

	if (*end != ' ' || !field(reader, digits, end))
		return odd(reader->failure, "a line of its list has too few fields");
	*value = strtoull(digits, &behind, base);
	return (digits[0] != '\0' && *behind == '\0') ||
	       odd(reader->failure, "a number that is none");
}

static bool read_entry(struct reader *reader, struct entry *entry)
{
	char type[FIELD];
	/* but for the mode, numbers that nobody asks for */
	uint64_t written, mode, uid, gid, major, minor;
	int end;

	if (!field(reader, type, &end))
		return false;
	if (end != ' ' || strlen(type) != 1 || !strchr("DRSLBCI", type[0]))
		return odd(reader->failure, "a line of its list that is not understood");
	entry->type = type[0];
	/* a name as the others are, where what a symbolic link leads to stands as it is */
	if (entry->type == 'L')
		return field(reader, entry->other, &end) &&
		       (end == '\n' ||
			odd(reader->failure, "a line of its list that is not understood"));
	if (!number(reader, 10, &written, &end) || !number(reader, 8, &mode, &end) ||
	    !number(reader, 10, &uid, &end) || !number(reader, 10, &gid, &end))
		return false;
	entry->mode = (mode_t)mode & 07777;
	if (entry->type == 'S')
		return (end == ' ' ||
			odd(reader->failure, "a line of its list has too few fields")) &&
		       rest(reader, entry->other);
	if (entry->type == 'R' &&
	    (!number(reader, 10, &entry->size, &end) || !number(reader, 10, &entry->offset, &end)))
		return false;
	if ((entry->type == 'B' || entry->type == 'C') &&
	    (!number(reader, 10, &major, &end) || !number(reader, 10, &minor, &end)))
		return false;
	/* f for a FIFO, s for a socket */
	if (entry->type == 'I' && end == ' ' && !field(reader, entry->other, &end))
		return false;
	return end == '\n' || skip_line(reader);
}

/* Leaves the file, if it is one, in *file. */
static int make(struct tree *tree, const struct entry *entry, struct node **file)
{
	struct place place;
	int error = tree_resolve(tree, entry->name, TREE_NOFOLLOW, &place);

	/* what tree_init() has made is the kernel's, and not of this file system: /dev/console */
	if (error == 0 && place.node && S_ISCHR(place.node->mode) && entry->type == 'C')
		error = tree_remove(tree, entry->name);
	else if (error == 0 && place.node && !S_ISDIR(place.node->mode))
		return EEXIST;
	switch (entry->type) {
	case 'D':
		/* which is a folder */
		if (error == 0 && place.node)
			return 0;
		return tree_make(tree, entry->name, S_IFDIR | entry->mode, 0, 0);
	case 'S':
		return tree_symlink(tree, entry->other, entry->name);
	case 'L':
		return tree_link(tree, entry->other, entry->name);
	case 'R':
		error =
		    tree_open(tree, entry->name, S_IFREG | entry->mode, archive_wish, NULL, file);
		return error ? error : tree_truncate(tree, *file, entry->size);
	default:
		/* a device or a socket is to nobody another thing than a FIFO, but may stand in
		   something's place */
		return tree_make(tree, entry->name, S_IFIFO | entry->mode, 0, 0);
	}
}

/* The file's content goes into the tree when the list has been read, and says where it begins. */
struct content {
	struct node *file;
	uint64_t size, offset;
};

struct contents {
	struct content *all;
	size_t count;
};

static bool remember(struct reader *reader, struct contents *contents, struct node *file,
		     const struct entry *entry)
{
	struct content *grown;

	if ((contents->count & (contents->count + 1)) == 0) {
		grown = reallocarray(contents->all, 2 * contents->count + 2, sizeof *grown);
		if (!grown)
			return odd(reader->failure, "no memory");
		contents->all = grown;
	}
	contents->all[contents->count++] = (struct content) { file, entry->size, entry->offset };
	return true;
}

/* The list has been read to its end. */
static bool copy(struct reader *reader, const struct content *content)
{
	uint64_t behind = reader->source->size - reader->at;
	const unsigned char *data;
	size_t length;

	if (content->offset > behind || content->size > behind - content->offset)
		return odd(reader->failure, "a file that is not whole");
	for (uint64_t at = 0; at < content->file->kept; at += length) {
		if (!source_at(reader->source, reader->at + content->offset + at, &data, &length,
			       reader->failure))
			return false;
		(void)tree_write(content->file, at, data, length);
	}
	return true;
}

/* The list ends in three lines of comment; `more` says that it did not yet. */
static bool read_line(struct reader *reader, struct contents *contents, bool *more)
{
	static struct entry entry;
	struct node *file = NULL;
	int end;
	int error;

	if (!field(reader, entry.name, &end))
		return false;
	*more = end == ' ';
	if (!*more)
		return (strcmp(entry.name, "#") == 0 && skip_line(reader) && skip_line(reader)) ||
		       odd(reader->failure, "a line of its list that is not understood");
	if (++reader->entries > LIMIT_ENTRIES)
		return odd(reader->failure, "more entries than are looked at");
	if (!read_entry(reader, &entry))
		return false;
	error = make(reader->tree, &entry, &file);
	if (error != 0)
		return fail(reader->failure, "squashfs root: %s",
			    reader->tree->exceeded ? reader->tree->exceeded : strerror(error));
	return !file || remember(reader, contents, file, &entry);
}

bool pseudo_read(struct source *source, struct tree *tree, struct failure *failure)
{
	struct reader reader = { .source = source, .tree = tree, .failure = failure };
	struct contents contents = { 0 };
	bool more = true;
	bool ok = true;

	while (ok && more)
		ok = read_line(&reader, &contents, &more);
	for (size_t i = 0; ok && i < contents.count; i++)
		ok = copy(&reader, &contents.all[i]);
	free(contents.all);
	return ok;
}

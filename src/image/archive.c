/* SPDX-License-Identifier: MIT */
/* An image's archives, one after the other; archive.h has the rules. */
#include <stdio.h>
#include <string.h>

#include "archive.h"
#include "cpio.h"
#include "limits.h"
#include "stream.h"
#include "text.h"

static bool is_module(const char *name, size_t length)
{
	static const char *const ends[] = { ".ko", ".ko.gz", ".ko.xz", ".ko.zst" };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		if (text_ends((struct text) { name, length }, ends[i]))
			return true;
	}
	return false;
}

static bool is_firmware(const struct node *folder)
{
	for (; folder->label; folder = folder->parent) {
		if (strcmp(folder->label->name, "firmware") == 0)
			return true;
	}
	return false;
}

struct wish archive_wish(void *closure, const struct node *folder, const char *name, size_t length)
{
	(void)closure;
	if (is_module(name, length) || is_firmware(folder))
		return (struct wish) { 0, -1 };
	return (struct wish) { LIMIT_KEPT, -1 };
}

struct reader {
	struct source *source;
	struct failure *failure;
	struct archive_facts *facts;
	struct cpio cpio;
	struct stream stream;
	uint64_t offset;
	unsigned members; /* compressed ones, against LIMIT_MEMBERS */
};

/* From a decompressor: what of it the walk does not take must be another archive, or zeros. */
static bool take(void *closure, const unsigned char *data, size_t length, bool border)
{
	struct reader *reader = closure;
	struct cpio *cpio = &reader->cpio;
	size_t taken = cpio_walk(cpio, data, length, border);

	/* it stands at a byte that is not zero */
	while (taken < length && reader->failure->text[0] == '\0') {
		if (data[taken] != '0')
			return fail(reader->failure, "byte %llu%s: junk within compressed archive",
				    (unsigned long long)cpio->at, cpio->where);
		cpio_start(cpio);
		taken += cpio_walk(cpio, data + taken, length - taken, border);
	}
	return reader->failure->text[0] == '\0';
}

static bool ends_whole(struct reader *reader, const char *name)
{
	if (reader->cpio.state == CPIO_RESET)
		return true;
	return fail(reader->failure,
		    "byte %llu: junk at the end of compressed archive: what is unpacked (%s) ends "
		    "within an archive",
		    (unsigned long long)reader->stream.start, name);
}

static bool read_compressed(struct reader *reader, const unsigned char *two)
{
	enum stream_format format = stream_detect(two);
	const char *name = stream_name(format);
	char where[80];

	if (format == STREAM_UNKNOWN)
		return fail(
		    reader->failure,
		    "byte %llu: invalid magic at start of compressed archive: neither a cpio "
		    "archive (newc) nor gzip, bzip2, lzma, xz, lzop, lz4 (legacy) or zstd",
		    (unsigned long long)reader->offset);
	if (++reader->members > LIMIT_MEMBERS)
		return fail(reader->failure,
			    "byte %llu: more than %d compressed members: too many to be looked at",
			    (unsigned long long)reader->offset, LIMIT_MEMBERS);
	(void)snprintf(where, sizeof where, " of what %s at byte %llu unpacks to", name,
		       (unsigned long long)reader->offset);
	cpio_begin(&reader->cpio, 0, where);
	reader->stream.offset = reader->offset;
	if (!stream_unpack(&reader->stream, format) || !ends_whole(reader, name))
		return false;
	reader->offset = reader->stream.offset;
	cpio_begin(&reader->cpio, reader->offset, "");
	return true;
}

static bool read_plain(struct reader *reader)
{
	const unsigned char *data = NULL;
	size_t length = 0;
	size_t taken = 0;

	cpio_begin(&reader->cpio, reader->offset, "");
	cpio_start(&reader->cpio);
	do {
		if (!source_at(reader->source, reader->offset, &data, &length, reader->failure))
			return false;
		taken = cpio_walk(&reader->cpio, data, length, false);
		reader->offset += taken;
	} while (taken == length && length > 0 && reader->failure->text[0] == '\0');
	return reader->failure->text[0] == '\0';
}

static bool skip_zeros(struct reader *reader)
{
	const unsigned char *data = NULL;
	size_t length = 0;
	size_t i = 0;

	do {
		if (!source_at(reader->source, reader->offset, &data, &length, reader->failure))
			return false;
		for (i = 0; i < length && data[i] == 0; i++)
			;
		reader->offset += i;
	} while (i == length && length > 0);
	return true;
}

static bool read_next(struct reader *reader)
{
	unsigned char two[2] = { 0, 0 };
	size_t length =
	    source_copy(reader->source, reader->offset, two, sizeof two, reader->failure);

	/* there is more of it */
	if (length == 0)
		return false;
	if (two[0] == 0)
		return skip_zeros(reader);
	if (two[0] == '0' && (reader->offset & 3) == 0)
		return read_plain(reader);
	return read_compressed(reader, two);
}

static void note_end(const struct reader *reader)
{
	reader->facts->cut = reader->cpio.state != CPIO_RESET && reader->cpio.entries > 0;
	reader->facts->cut_at = reader->cpio.entry;
	reader->facts->formats = reader->stream.formats;
}

/* The mark is at the end, or before some zeros that a boot loader has put there (init/main.c). */
static bool has_parameters(struct reader *reader)
{
	static const char mark[] = "#BOOTCONFIG\n";
	char end[sizeof mark - 1 + 3];
	uint64_t size = reader->source->size;
	size_t length = size < sizeof end ? (size_t)size : sizeof end;

	return source_copy(reader->source, size - length, end, length, reader->failure) == length &&
	       memmem(end, length, mark, sizeof mark - 1) != NULL;
}

static bool read_all(struct reader *reader)
{
	if (reader->source->size == 0)
		return fail(reader->failure, "an empty file");
	if (has_parameters(reader))
		return fail(reader->failure,
			    "a boot configuration is attached (#BOOTCONFIG), which may add kernel "
			    "parameters: look at the image without it");
	while (reader->offset < reader->source->size) {
		if (!read_next(reader))
			return false;
	}
	return true;
}

bool archive_read(struct source *source, struct tree *tree,
		  struct wish (*wish)(void *closure, const struct node *folder, const char *name,
				      size_t length),
		  void *closure, struct archive_facts *facts, struct failure *failure)
{
	struct reader reader = { .source = source, .failure = failure, .facts = facts };
	bool ok = false;

	*facts = (struct archive_facts) { 0 };
	cpio_init(&reader.cpio, tree, failure, wish, closure);
	reader.stream = (struct stream) {
		.source = source, .failure = failure, .take = take, .closure = &reader
	};
	ok = read_all(&reader);
	note_end(&reader);
	cpio_free(&reader.cpio);
	return ok;
}

/* SPDX-License-Identifier: MIT */
/* Looks into kernels; kernel.h has the rules. */
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "configs.h"
#include "kernel.h"
#include "little_endian.h"
#include "stream.h"

/* The header of a bzImage (Documentation/arch/x86/boot.rst), and of an EFI zboot image. */
enum {
	SECTOR = 512,
	SETUP_SECTORS = 0x1f1, /* those behind the first, 0 for 4 */
	MAGIC = 0x202,
	PROTOCOL = 0x206,
	RELEASE = 0x20e, /* where it stands behind the first sector; 0 if nowhere */
	PAYLOAD = 0x248, /* where it stands behind the setup sectors, and its length */
	HEADER = 0x250,
	PROTOCOL_WITH_PAYLOAD = 0x208,
	ZBOOT_PAYLOAD = 8,
};

/* What stands before the configuration, gzip's own first bytes with it, and what behind it. */
static const unsigned char before[] = { 'I', 'K', 'C', 'F', 'G', '_', 'S', 'T', 0x1f, 0x8b, 0x08 };
static const unsigned char behind[] = { 'I', 'K', 'C', 'F', 'G', '_', 'E', 'D' };

enum { GZIP = 8, GZIP_LENGTH = 3 }; /* in `before` */

static bool read_header(struct source *kernel, unsigned char *header, struct failure *failure)
{
	return source_copy(kernel, 0, header, HEADER, failure) == HEADER;
}

static bool is_bzimage(const unsigned char *header)
{
	return memcmp(header + MAGIC, "HdrS", 4) == 0;
}

bool kernel_is_bzimage(struct source *kernel, struct failure *failure)
{
	unsigned char header[HEADER];

	return read_header(kernel, header, failure) && is_bzimage(header);
}

void kernel_release(struct source *kernel, char *release, size_t size)
{
	struct failure failure = { "" };
	unsigned char header[HEADER];
	size_t length = 0;

	if (read_header(kernel, header, &failure) && is_bzimage(header) &&
	    read_le16(header + RELEASE) != 0)
		length = source_copy(kernel, SECTOR + read_le16(header + RELEASE), release,
				     size - 1, &failure);
	release[length] = '\0';
	/* who built it, and when, stands behind it */
	release[strcspn(release, " ")] = '\0';
}

/* What has the kernel's code and data in it, compressed or not: the payload, or all of it. Empty
 * where there is none. */
static void open_payload(struct source *kernel, struct source *payload, struct failure *failure)
{
	static const unsigned char zboot[] = { 'M', 'Z', 0, 0, 'z', 'i', 'm', 'g' };
	uint64_t whole = kernel->pieces[0].length;
	unsigned char header[HEADER];
	uint64_t offset = 0;
	uint64_t length = whole;

	source_begin(payload, kernel);
	if (!read_header(kernel, header, failure))
		return;
	if (is_bzimage(header) && read_le16(header + PROTOCOL) >= PROTOCOL_WITH_PAYLOAD) {
		unsigned sectors = header[SETUP_SECTORS] ? header[SETUP_SECTORS] : 4;
		offset = (1 + sectors) * (uint64_t)SECTOR + read_le32(header + PAYLOAD);
		length = read_le32(header + PAYLOAD + 4);
	} else if (memcmp(header, zboot, sizeof zboot) == 0) {
		offset = read_le32(header + ZBOOT_PAYLOAD);
		length = read_le32(header + ZBOOT_PAYLOAD + 4);
	}
	if (offset + length <= whole)
		(void)source_append(payload, kernel->pieces[0].offset + offset, length, length,
				    failure);
}

/* The search goes through the kernel's bytes once, as they come, in pieces of any length. */
struct search {
	enum { BEFORE, WITHIN, BEHIND, OVER } at;
	size_t matched; /* of the mark that is looked for */
	z_stream zlib;
	/* All that is tried is unpacked into one room, so that what only begins like a
	   configuration, many times, takes no longer than one that is one. */
	char *room, *begun;
	struct text found; /* no bytes if nothing */
};

static void begin_gzip(struct search *search)
{
	(void)inflateReset(&search->zlib);
	search->zlib.next_in = before + GZIP;
	search->zlib.avail_in = GZIP_LENGTH;
	(void)inflate(&search->zlib, Z_NO_FLUSH);
	search->begun = (char *)search->zlib.next_out;
	search->at = WITHIN;
}

/* These return how many bytes they are done with. */

static size_t find_before(struct search *search, const unsigned char *data, size_t length)
{
	size_t used = 0;

	while (used < length && search->matched < sizeof before) {
		if (search->matched == 0) {
			const unsigned char *first = memchr(data + used, before[0], length - used);
			if (!first)
				return length;
			used = (size_t)(first - data);
		}
		/* its first byte is nowhere else in it */
		if (data[used] == before[search->matched])
			search->matched++;
		else
			search->matched = data[used] == before[0];
		used++;
	}
	if (search->matched == sizeof before) {
		search->matched = 0;
		begin_gzip(search);
	}
	return used;
}

static size_t unpack_within(struct search *search, const unsigned char *data, size_t length)
{
	int code;

	search->zlib.next_in = data;
	search->zlib.avail_in = (uInt)length;
	code = inflate(&search->zlib, Z_NO_FLUSH);
	if (code == Z_STREAM_END) {
		search->at = BEHIND;
	} else if (search->zlib.avail_out == 0) {
		search->found.bytes = NULL;
		search->at = OVER;
	} else if (code != Z_OK) {
		search->at = BEFORE;
	}
	return length - search->zlib.avail_in;
}

static size_t find_behind(struct search *search, const unsigned char *data, size_t length)
{
	size_t used = 0;

	while (used < length && search->matched < sizeof behind &&
	       data[used] == behind[search->matched]) {
		search->matched++;
		used++;
	}
	if (search->matched == sizeof behind && search->found.bytes) {
		/* two: which of them the kernel was built with cannot be told */
		search->found.bytes = NULL;
		search->at = OVER;
	} else if (search->matched == sizeof behind) {
		search->found =
		    (struct text) { search->begun,
				    (size_t)((char *)search->zlib.next_out - search->begun) };
	}
	if (search->at != OVER && (search->matched == sizeof behind || used < length)) {
		search->matched = 0;
		search->at = BEFORE;
	}
	return used;
}

static bool look(void *closure, const unsigned char *data, size_t length, bool border)
{
	static size_t (*const steps[])(struct search *, const unsigned char *, size_t) = {
		[BEFORE] = find_before, [WITHIN] = unpack_within, [BEHIND] = find_behind
	};
	struct search *search = closure;

	(void)border;
	while (length > 0 && search->at != OVER) {
		size_t used = steps[search->at](search, data, length);
		data += used;
		length -= used;
	}
	return search->at != OVER;
}

/*
 * What a reader says of the payload's end is not asked: of lz4 it cannot know where that is, for
 * the kernel's build puts the size behind it, and a kernel that is damaged does not boot.
 */
static void look_at_all(struct source *payload, struct search *search, struct failure *failure)
{
	struct stream stream = {
		.source = payload, .failure = failure, .take = look, .closure = search
	};
	const unsigned char *data;
	size_t length;
	unsigned char two[2] = { 0, 0 };

	(void)source_copy(payload, 0, two, sizeof two, failure);
	if (stream_detect(two) != STREAM_UNKNOWN) {
		(void)stream_unpack(&stream, stream_detect(two));
		return;
	}
	for (uint64_t at = 0; at < payload->size; at += length) {
		if (!source_at(payload, at, &data, &length, failure) ||
		    !look(search, data, length, false))
			return;
	}
}

char *kernel_config(struct source *kernel, struct text *config)
{
	static struct source payload;
	struct failure failure = { "" };
	struct search search = { .at = BEFORE };

	open_payload(kernel, &payload, &failure);
	search.room = malloc(CONFIG_LARGEST);
	if (!search.room || inflateInit2(&search.zlib, 16 + MAX_WBITS) != Z_OK) {
		free(search.room);
		return NULL;
	}
	search.zlib.next_out = (unsigned char *)search.room;
	search.zlib.avail_out = CONFIG_LARGEST;
	look_at_all(&payload, &search, &failure);
	(void)inflateEnd(&search.zlib);
	if (!search.found.bytes) {
		free(search.room);
		return NULL;
	}
	*config = search.found;
	return search.room;
}

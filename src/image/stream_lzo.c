/* SPDX-License-Identifier: MIT */
/*
 * lzop as the kernel reads it (lib/decompress_unlzo.c): blocks of 256 KiB at most, each with one
 * checksum, which it does not look at, up to a block of no bytes.
 */
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <string.h>

#include "stream_internal.h"

enum {
	BLOCK = 256 * 1024,
	VERSIONS = 7,		/* of three, and the method */
	VERSION_LEVEL = 0x0940, /* from which on there are a level and 64 bits of time */
	FLAG_FILTER = 0x0800,
	CHECKSUM = 4,
	MARK = 3, /* at the end of a block */
};

static uint32_t big_endian(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static bool read_number(struct stream *stream, uint32_t *number)
{
	unsigned char bytes[4];

	if (!stream_read(stream, bytes, sizeof bytes))
		return false;
	*number = big_endian(bytes);
	return true;
}

static bool skip(struct stream *stream, size_t count)
{
	unsigned char skipped[512];

	return stream_read(stream, skipped, count);
}

static bool skip_header(struct stream *stream)
{
	static const unsigned char magic[] = { 0x89, 'L', 'Z', 'O', 0, '\r', '\n', 0x1a, '\n' };
	unsigned char start[sizeof magic + VERSIONS];
	const unsigned char *versions = start + sizeof magic;
	unsigned char name;
	uint32_t flags;
	bool level = false;

	if (!stream_read(stream, start, sizeof start) || memcmp(start, magic, sizeof magic) != 0)
		return stream_fail(stream, "lzop", "not an lzop file");
	level = (versions[0] << 8 | versions[1]) >= VERSION_LEVEL;
	return (!level || skip(stream, 1)) && read_number(stream, &flags) &&
	       ((flags & FLAG_FILTER) == 0 || skip(stream, 4)) &&
	       skip(stream, level ? 12 : 8) && /* mode and time */
	       stream_read(stream, &name, 1) && skip(stream, (size_t)name + CHECKSUM);
}

struct lzo {
	unsigned char *block, *piece;
};

/* Where one is in a block, and how many literals came last. */
struct walk {
	const unsigned char *block;
	size_t length, at, literals;
};

/* A count that an instruction's first byte has no room for: zeros, and a byte that is none. */
static size_t long_count(struct walk *walk, size_t count)
{
	while (walk->at < walk->length && walk->block[walk->at] == 0) {
		count += 255;
		walk->at++;
	}
	return walk->at < walk->length ? count + walk->block[walk->at++] : count;
}

static void go_behind_literals(struct walk *walk, size_t count)
{
	walk->literals = count;
	walk->at += count;
}

/* Behind a copy of what was unpacked, and the literals that the last bits of it count. */
static void go_behind_copy(struct walk *walk, unsigned first)
{
	unsigned mask = first < 32 ? 7 : 31;
	size_t counted = walk->at - 1;

	if (first >= 16 && first < 64) {
		if ((first & mask) == 0)
			(void)long_count(walk, 0);
		counted = walk->at;
		walk->at++;
	}
	walk->at++;
	go_behind_literals(walk, counted < walk->length ? walk->block[counted] & 3 : 0);
}

static void go_behind(struct walk *walk)
{
	unsigned first = walk->block[walk->at++];

	if (first >= 16 || walk->literals > 0)
		go_behind_copy(walk, first);
	else
		go_behind_literals(walk, (first > 0 ? first : long_count(walk, 15)) + 3);
}

/*
 * Whether a block, which the library has unpacked, ends as the kernel wants it. The mark at its end
 * is a copy of nothing, whose length the library does not look at, and of which the kernel takes
 * one alone (lib/lzo/lzo1x_decompress_safe.c).
 */
static bool has_mark(const unsigned char *block, size_t length)
{
	struct walk walk = { .block = block, .length = length };

	if (block[0] > 17) {
		walk.at = 1;
		go_behind_literals(&walk, block[0] - 17);
	}
	while (walk.at + MARK < length)
		go_behind(&walk);
	return walk.at + MARK == length && block[walk.at] == 17;
}

static bool unpack_block(struct stream *stream, const struct lzo *lzo, uint32_t size,
			 uint32_t packed)
{
	lzo_uint unpacked = size;

	if (packed > size || !stream_read(stream, lzo->block, packed))
		return stream_fail(stream, "lzop", "damaged data");
	/* what does not become smaller stands there as it is */
	if (packed == size)
		return stream_emit(stream, lzo->block, size, true);
	if (lzo1x_decompress_safe(lzo->block, packed, lzo->piece, &unpacked, NULL) != LZO_E_OK ||
	    unpacked != size || !has_mark(lzo->block, packed))
		return stream_fail(stream, "lzop", "damaged data");
	return stream_emit(stream, lzo->piece, size, true);
}

static bool unpack_blocks(struct stream *stream, const struct lzo *lzo)
{
	for (;;) {
		uint32_t size;
		uint32_t packed;
		if (!read_number(stream, &size))
			return false;
		if (size == 0)
			return true;
		if (size > BLOCK)
			return stream_fail(stream, "lzop", "a block of more than 256 KiB");
		if (!read_number(stream, &packed) || !skip(stream, CHECKSUM) ||
		    !unpack_block(stream, lzo, size, packed))
			return false;
	}
}

bool stream_lzo(struct stream *stream)
{
	struct lzo lzo = { NULL, NULL };
	bool ok = false;

	if (!skip_header(stream))
		return false;
	lzo.block = malloc(BLOCK);
	lzo.piece = malloc(BLOCK);
	ok = lzo.block && lzo.piece;
	ok = ok ? unpack_blocks(stream, &lzo) : stream_fail(stream, "lzop", "no memory");
	free(lzo.block);
	free(lzo.piece);
	return ok;
}

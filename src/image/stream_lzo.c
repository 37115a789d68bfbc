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
	VERSION_LEVEL = 0x0940, /* from which on there are a level and 64 bits of time */
	FLAG_FILTER = 0x0800,
	CHECKSUM = 4,
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
	unsigned char start[sizeof magic];
	unsigned char versions[7];
	unsigned char name = 0;
	uint32_t flags = 0;
	bool level = false;

	if (!stream_read(stream, start, sizeof start))
		return false;
	if (memcmp(start, magic, sizeof magic) != 0)
		return stream_fail(stream, "lzop", "not an lzop file");
	if (!stream_read(stream, versions, sizeof versions))
		return false;
	level = (versions[0] << 8 | versions[1]) >= VERSION_LEVEL;
	return (!level || skip(stream, 1)) && read_number(stream, &flags) &&
	       ((flags & FLAG_FILTER) == 0 || skip(stream, 4)) &&
	       skip(stream, level ? 12 : 8) && /* mode and time */
	       stream_read(stream, &name, 1) && skip(stream, (size_t)name + CHECKSUM);
}

struct lzo {
	unsigned char *block, *piece;
};

static bool unpack_block(struct stream *stream, const struct lzo *lzo, uint32_t size,
			 uint32_t packed)
{
	lzo_uint unpacked = size;

	if (packed == 0 || packed > size)
		return stream_fail(stream, "lzop", "damaged data");
	if (!stream_read(stream, lzo->block, packed))
		return false;
	/* what does not become smaller stands there as it is */
	if (packed == size)
		return stream_emit(stream, lzo->block, size, true);
	if (lzo1x_decompress_safe(lzo->block, packed, lzo->piece, &unpacked, NULL) != LZO_E_OK ||
	    unpacked != size)
		return stream_fail(stream, "lzop", "damaged data");
	return stream_emit(stream, lzo->piece, size, true);
}

static bool unpack_blocks(struct stream *stream, const struct lzo *lzo)
{
	for (;;) {
		uint32_t size = 0;
		uint32_t packed = 0;
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

/* SPDX-License-Identifier: MIT */
/*
 * lz4 as the kernel reads it (lib/decompress_unlz4.c): the legacy frame, which says neither how
 * long it is nor that it ends. Blocks follow each other, and further frames, until a block of no
 * bytes or less than four are left.
 */
#include <lz4.h>
#include <stdlib.h>

#include "little_endian.h"
#include "stream_internal.h"

enum { PIECE = 8 << 20, MAGIC = 0x184c2102 };

struct lz4 {
	char *block, *piece;
};

/* A length of 15 goes on in bytes behind it, up to one that is not 255. */
static size_t long_length(const unsigned char *block, size_t size, size_t *at, size_t length)
{
	unsigned char byte = length == 15 ? 255 : 0;

	while (byte == 255 && *at < size) {
		byte = block[(*at)++];
		length += byte;
	}
	return length;
}

bool stream_lz4_is_clear(const unsigned char *block, size_t size, size_t length)
{
	enum { DISTANCE = 2, SHORTEST = 4 };
	size_t made = 0;
	size_t at = 0;

	while (at < size && made < length) {
		unsigned token = block[at++];
		size_t literals = long_length(block, size, &at, token >> 4);

		made += literals;
		/* the last ones have no match behind them */
		if (made >= length || literals > size - at || size - at - literals < DISTANCE)
			return true;
		at += literals;
		if (read_le16(block + at) == 0)
			return false;
		at += DISTANCE;
		made += long_length(block, size, &at, token & 15) + SHORTEST;
	}
	return true;
}

static bool unpack_block(struct stream *stream, const struct lz4 *lz4, uint32_t size)
{
	int unpacked = 0;

	if (size > (uint32_t)LZ4_compressBound(PIECE))
		return fail(stream->failure, "byte %llu: lz4: a block that is too long",
			    (unsigned long long)stream->offset - 4);
	if (!stream_read(stream, lz4->block, size))
		return false;
	unpacked = LZ4_decompress_safe(lz4->block, lz4->piece, (int)size, PIECE);
	if (unpacked < 0 ||
	    !stream_lz4_is_clear((const unsigned char *)lz4->block, size, (size_t)unpacked))
		return fail(stream->failure, "byte %llu: lz4: damaged data",
			    (unsigned long long)(stream->offset - size));
	return stream_emit(stream, (const unsigned char *)lz4->piece, (size_t)unpacked, true);
}

static bool unpack_blocks(struct stream *stream, const struct lz4 *lz4)
{
	unsigned char bytes[4];

	while (stream->source->size - stream->offset >= sizeof bytes) {
		uint32_t size = 0;
		if (!stream_read(stream, bytes, sizeof bytes))
			return false;
		size = read_le32(bytes);
		if (size == MAGIC)
			continue;
		/* which the kernel reads again: as zeros that may stand between archives */
		if (size == 0)
			return true;
		if (!unpack_block(stream, lz4, size))
			return false;
	}
	return true;
}

bool stream_lz4(struct stream *stream)
{
	struct lz4 lz4 = { NULL, NULL };
	unsigned char magic[4];
	bool ok = false;

	if (!stream_read(stream, magic, sizeof magic))
		return false;
	if (read_le32(magic) != MAGIC)
		return stream_fail(stream, "lz4",
				   "not the legacy format, which is what kernels take");
	lz4.block = malloc((size_t)LZ4_compressBound(PIECE));
	lz4.piece = malloc(PIECE);
	ok = lz4.block && lz4.piece;
	ok = ok ? unpack_blocks(stream, &lz4) : stream_fail(stream, "lz4", "no memory");
	free(lz4.block);
	free(lz4.piece);
	return ok;
}

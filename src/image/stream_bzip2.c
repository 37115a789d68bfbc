/* SPDX-License-Identifier: MIT */
/*
 * bzip2 as the kernel reads it (lib/decompress_bunzip2.c): the first stream only, and no randomised
 * blocks, which bzip2 0.9.0 and older wrote and libbz2 still reads.
 */
#include <bzlib.h>

#include "stream_internal.h"

enum { PIECE = 4096 };

/*
 * A block begins with 48 bits that say so, at any bit, its checksum of 32, and the bit that says it
 * is randomised. These are the last 128 bits of the input.
 */
struct bits {
	uint64_t early, late;
};

static bool is_randomised(const struct bits *bits)
{
	const uint64_t block = 0x314159265359;
	const uint64_t mask = ((uint64_t)1 << 48) - 1;
	uint64_t before = bits->early << 31 | bits->late >> 33;

	for (unsigned shift = 0; shift < 8; shift++) {
		if (((before >> shift) & mask) == block && (bits->late >> shift & 1) == 1)
			return true;
	}
	return false;
}

static bool finds_randomised(struct bits *bits, const unsigned char *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bits->early = bits->early << 8 | bits->late >> 56;
		bits->late = bits->late << 8 | data[i];
		if (is_randomised(bits))
			return true;
	}
	return false;
}

static bool decompress_all(struct stream *stream, bz_stream *bzip2, unsigned char *piece)
{
	struct bits bits = { 0, 0 };
	const unsigned char *data;
	size_t length;
	int code = BZ_OK;

	bzip2->next_out = (char *)piece;
	bzip2->avail_out = PIECE;
	while (code == BZ_OK && stream_input(stream, &data, &length)) {
		/* libbz2 does not say const, but only reads it */
		bzip2->next_in = (char *)(uintptr_t)data;
		bzip2->avail_in = (unsigned)length;
		code = BZ2_bzDecompress(bzip2);
		stream->offset += length - bzip2->avail_in;
		if (code != BZ_OK && code != BZ_STREAM_END)
			return stream_fail(stream, "bzip2", "damaged data");
		if (finds_randomised(&bits, data, length - bzip2->avail_in))
			return stream_fail(stream, "bzip2",
					   "a randomised block, which the kernel does not take");
		if (bzip2->avail_out != 0 && code == BZ_OK)
			continue;
		if (!stream_emit(stream, piece, PIECE - bzip2->avail_out, true))
			return false;
		bzip2->next_out = (char *)piece;
		bzip2->avail_out = PIECE;
	}
	return code == BZ_STREAM_END;
}

bool stream_bzip2(struct stream *stream)
{
	bz_stream bzip2 = { .next_in = NULL };
	unsigned char piece[PIECE];
	bool ok = false;

	if (BZ2_bzDecompressInit(&bzip2, 0, 0) != BZ_OK)
		return stream_fail(stream, "bzip2", "no memory");
	ok = decompress_all(stream, &bzip2, piece);
	(void)BZ2_bzDecompressEnd(&bzip2);
	return ok;
}

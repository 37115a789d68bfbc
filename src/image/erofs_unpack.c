/* SPDX-License-Identifier: MIT */
/*
 * The algorithms of an erofs. Each piece stands for itself, and the file system knows how long it
 * is: what follows in the last block is not looked at.
 */
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "erofs_internal.h"
#include "little_endian.h"
#include "stream.h"

/* The bounds of what is announced are those of the kernel, which does not mount what is beyond
 * (z_erofs_load_lz4_config() and the others). */

#define NOT_KNOWN "its superblock announces of an algorithm what no kernel takes, or is not known"

static bool announce_lz4(struct erofs *fs, uint16_t distance, uint64_t blocks)
{
	fs->lz4_piece = (uint32_t)((blocks > 0 ? blocks : 1) << fs->block_bits);
	/* where the distance is less than any, kernels have fewer pages for what is unpacked, and
	 * a match from afar finds other bytes there */
	return (distance == 0 || distance == UINT16_MAX) && fs->lz4_piece <= EROFS_PACKED;
}

static bool announce_lzma(struct erofs *fs, uint32_t dictionary, unsigned format)
{
	enum { LEAST = 4 << 10, MOST = 8 << 20, STEP = 16 };

	fs->lzma_dictionary = dictionary;
	/* liblzma goes up to the next step, the kernel does not */
	return format == 0 && dictionary >= LEAST && dictionary <= MOST && dictionary % STEP == 0;
}

static bool announce_zstd(struct erofs *fs, unsigned format, unsigned window)
{
	enum { LEAST = 10, MOST = 20 };

	fs->zstd_window = window <= MOST - LEAST ? 1U << (LEAST + window) : 0;
	return format == 0 && fs->zstd_window > 0;
}

/* Of one algorithm, where that is; leaves in *at where it ends. */
static bool get_algorithm(struct erofs *fs, unsigned algorithm, uint64_t *at)
{
	enum { LARGEST = 14 };
	static const unsigned char sizes[] = { LARGEST, LARGEST, 6, 6 };
	unsigned char told[2 + LARGEST];
	const unsigned char *value = told + 2;
	bool ok = false;

	if (!erofs_get(fs, *at, told, 2U + sizes[algorithm]))
		return false;
	*at += 2U + sizes[algorithm];
	switch (algorithm) {
	case EROFS_LZ4:
		ok = announce_lz4(fs, read_le16(value), read_le16(value + 2));
		break;
	case EROFS_LZMA:
		ok = announce_lzma(fs, read_le32(value), read_le16(value + 4));
		break;
	case EROFS_DEFLATE:
		/* the kernel's window is of MAX_WBITS, whatever is announced */
		ok = value[0] <= MAX_WBITS;
		break;
	case EROFS_ZSTD:
		ok = announce_zstd(fs, value[0], value[1]);
		break;
	}
	return (ok && read_le16(told) == sizes[algorithm]) || erofs_odd(fs, NOT_KNOWN);
}

bool erofs_get_algorithms(struct erofs *fs, uint16_t field, uint64_t at)
{
	fs->algorithms = fs->big ? field : 1U << EROFS_LZ4;
	if (!fs->big)
		return announce_lz4(fs, field, 1) || erofs_odd(fs, NOT_KNOWN);
	for (unsigned i = 0; field >> i != 0; i++) {
		if (i > EROFS_ZSTD)
			return erofs_odd(fs, NOT_KNOWN);
		if ((field >> i & 1) && !get_algorithm(fs, i, &at))
			return false;
	}
	return true;
}

/* As z_erofs_lz4_decompress_mem() of the kernel does it. */
static bool unpack_lz4(const struct erofs *fs, bool partial, const unsigned char *from, size_t size,
		       unsigned char *to, size_t length)
{
	int made;

	if (!stream_lz4_is_clear(from, size, length))
		return false;
	if (partial || !fs->padded)
		made = LZ4_decompress_safe_partial((const char *)from, (char *)to, (int)size,
						   (int)length, (int)length);
	else
		made = LZ4_decompress_safe((const char *)from, (char *)to, (int)size, (int)length);
	return made == (int)length;
}

static bool unpack_lzma(const struct erofs *fs, bool partial, const unsigned char *from,
			size_t size, unsigned char *to, size_t length)
{
/* lzma without most of its header: from liblzma 5.4 on */
#if LZMA_VERSION >= 50040002U
	lzma_stream stream = LZMA_STREAM_INIT;
	bool ok;

	stream.next_in = from;
	stream.avail_in = size;
	stream.next_out = to;
	stream.avail_out = length;
	ok = lzma_microlzma_decoder(&stream, size, length, !partial, fs->lzma_dictionary) ==
		 LZMA_OK &&
	     lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END;
	lzma_end(&stream);
	return ok && stream.avail_out == 0;
#else
	(void)fs, (void)partial, (void)from, (void)size, (void)to, (void)length;
	return false;
#endif
}

static bool unpack_deflate(bool partial, const unsigned char *from, size_t size, unsigned char *to,
			   size_t length)
{
	/* zlib does not write there, but has no const unless ZLIB_CONST says so */
	z_stream stream = { .next_in = (unsigned char *)(uintptr_t)from,
			    .avail_in = (uInt)size,
			    .next_out = to,
			    .avail_out = (uInt)length };
	int code = inflateInit2(&stream, -MAX_WBITS);

	if (code == Z_OK)
		code = inflate(&stream, Z_SYNC_FLUSH);
	(void)inflateEnd(&stream);
	return ((code == Z_OK && partial) || code == Z_STREAM_END) && stream.avail_out == 0;
}

/* Whether a frame of zstd (RFC 8878, 3.1.1.1) begins there, with a window that the kernel has room
 * for; where it says none, that is its content. */
static bool is_zstd(const struct erofs *fs, const unsigned char *from, size_t size)
{
	static const unsigned char magic[] = { 0x28, 0xb5, 0x2f, 0xfd };
	enum { DESCRIPTOR = 4, WINDOW_DESCRIPTOR = 5, SINGLE_SEGMENT = 0x20 };
	uint64_t power;

	if (size <= WINDOW_DESCRIPTOR || memcmp(from, magic, sizeof magic) != 0)
		return false;
	if (from[DESCRIPTOR] & SINGLE_SEGMENT)
		return ZSTD_getFrameContentSize(from, size) <= fs->zstd_window;
	/* of a window eighths stand in three bits, and above them a power of two over 1 KiB */
	power = 1024ULL << (from[WINDOW_DESCRIPTOR] >> 3);
	return power + power / 8 * (from[WINDOW_DESCRIPTOR] & 7) <= fs->zstd_window;
}

/* The kernel does not ask whether there is more. */
static bool unpack_zstd(const struct erofs *fs, const unsigned char *from, size_t size,
			unsigned char *to, size_t length)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_inBuffer in = { from, size, 0 };
	ZSTD_outBuffer out = { to, length, 0 };

	/* it makes all that it can at once, of one frame */
	if (context && is_zstd(fs, from, size))
		(void)ZSTD_decompressStream(context, &out, &in);
	(void)ZSTD_freeDCtx(context);
	return out.pos == length;
}

bool erofs_unpack(const struct erofs *fs, enum erofs_algorithm algorithm, bool partial,
		  const unsigned char *from, size_t size, unsigned char *to, size_t length)
{
	switch (algorithm) {
	case EROFS_LZ4:
		return unpack_lz4(fs, partial, from, size, to, length);
	case EROFS_LZMA:
		return unpack_lzma(fs, partial, from, size, to, length);
	case EROFS_DEFLATE:
		return unpack_deflate(partial, from, size, to, length);
	case EROFS_ZSTD:
		break;
	}
	return unpack_zstd(fs, from, size, to, length);
}

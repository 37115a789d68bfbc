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
#include "stream.h"

/* The largest dictionary of lzma and window of zstd, as the kernel has them
 * (Z_EROFS_LZMA_MAX_DICT_SIZE, Z_EROFS_ZSTD_MAX_DICT_SIZE). */
enum { DICTIONARY = 8 << 20, WINDOW = 1 << 20 };

static bool unpack_lzma(const unsigned char *from, size_t size, unsigned char *to, size_t length)
{
/* lzma without most of its header: from liblzma 5.4 on */
#if LZMA_VERSION >= 50040002U
	lzma_stream stream = LZMA_STREAM_INIT;
	bool ok;

	stream.next_in = from;
	stream.avail_in = size;
	stream.next_out = to;
	stream.avail_out = length;
	ok = lzma_microlzma_decoder(&stream, size, length, false, DICTIONARY) == LZMA_OK &&
	     lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END;
	lzma_end(&stream);
	return ok && stream.avail_out == 0;
#else
	(void)from, (void)size, (void)to, (void)length;
	return false;
#endif
}

static bool unpack_deflate(const unsigned char *from, size_t size, unsigned char *to, size_t length)
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
	return (code == Z_OK || code == Z_STREAM_END) && stream.avail_out == 0;
}

/* Whether a frame of zstd (RFC 8878, 3.1.1.1) begins there, with a window that the kernel has room
 * for; where it says none, that is its content. */
static bool is_zstd(const unsigned char *from, size_t size)
{
	static const unsigned char magic[] = { 0x28, 0xb5, 0x2f, 0xfd };
	/* of a window eighths stand in three bits, and above them a power of two over 1 KiB */
	enum { DESCRIPTOR = 4, WINDOW_DESCRIPTOR = 5, SINGLE_SEGMENT = 0x20, LARGEST = 10 << 3 };

	if (size <= WINDOW_DESCRIPTOR || memcmp(from, magic, sizeof magic) != 0)
		return false;
	return from[DESCRIPTOR] & SINGLE_SEGMENT ? ZSTD_getFrameContentSize(from, size) <= WINDOW
						 : from[WINDOW_DESCRIPTOR] <= LARGEST;
}

static bool unpack_zstd(const unsigned char *from, size_t size, unsigned char *to, size_t length)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_inBuffer in = { from, size, 0 };
	ZSTD_outBuffer out = { to, length, 0 };

	/* it makes all that it can at once, of one frame */
	if (context && is_zstd(from, size))
		(void)ZSTD_decompressStream(context, &out, &in);
	(void)ZSTD_freeDCtx(context);
	return out.pos == length;
}

bool erofs_unpack(unsigned algorithm, const unsigned char *from, size_t size, unsigned char *to,
		  size_t length)
{
	switch (algorithm) {
	case EROFS_LZ4:
		return stream_lz4_is_clear(from, size, length) &&
		       LZ4_decompress_safe_partial((const char *)from, (char *)to, (int)size,
						   (int)length, (int)length) == (int)length;
	case EROFS_LZMA:
		return unpack_lzma(from, size, to, length);
	case EROFS_DEFLATE:
		return unpack_deflate(from, size, to, length);
	case EROFS_ZSTD:
		return unpack_zstd(from, size, to, length);
	}
	return false;
}

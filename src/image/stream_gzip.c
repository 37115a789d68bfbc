/* SPDX-License-Identifier: MIT */
/*
 * gzip as the kernel reads it (lib/decompress_inflate.c): it skips ten bytes and a file name, takes
 * what follows for the data, whatever other flags there are, and does not look at the eight bytes
 * behind the data.
 */
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "stream_internal.h"

enum { HEADER = 10, TRAILER = 8, FLAG_NAME = 8, PIECE = 32 * 1024 };

static bool skip_name(struct stream *stream)
{
	const unsigned char *data;
	const unsigned char *end = NULL;
	size_t length;

	while (!end && stream_input(stream, &data, &length)) {
		end = memchr(data, '\0', length);
		stream->offset += end ? (size_t)(end - data) + 1 : length;
	}
	return end != NULL;
}

static bool skip_header(struct stream *stream)
{
	unsigned char header[HEADER];

	if (!stream_read(stream, header, sizeof header) || header[2] != Z_DEFLATED)
		return stream_fail(stream, "gzip", "not a gzip file");
	return (header[3] & FLAG_NAME) == 0 || skip_name(stream);
}

static bool inflate_all(struct stream *stream, z_stream *zlib, unsigned char *piece)
{
	const unsigned char *data;
	size_t length;
	int code = Z_OK;

	zlib->next_out = piece;
	zlib->avail_out = PIECE;
	while (code == Z_OK && stream_input(stream, &data, &length)) {
		zlib->next_in = data;
		zlib->avail_in = (uInt)length;
		code = inflate(zlib, Z_NO_FLUSH);
		stream->offset += length - zlib->avail_in;
		if (code != Z_OK && code != Z_STREAM_END)
			return stream_fail(stream, "gzip", zlib->msg ? zlib->msg : "damaged data");
		if (zlib->avail_out != 0 && code == Z_OK)
			continue;
		if (!stream_emit(stream, piece, PIECE - zlib->avail_out, true))
			return false;
		zlib->next_out = piece;
		zlib->avail_out = PIECE;
	}
	return code == Z_STREAM_END;
}

bool stream_gzip(struct stream *stream)
{
	z_stream zlib = { .next_in = NULL };
	unsigned char piece[PIECE];
	unsigned char trailer[TRAILER];
	bool ok = false;

	if (!skip_header(stream))
		return false;
	if (inflateInit2(&zlib, -MAX_WBITS) != Z_OK)
		return stream_fail(stream, "gzip", "no memory");
	ok = inflate_all(stream, &zlib, piece);
	(void)inflateEnd(&zlib);
	return ok && stream_read(stream, trailer, sizeof trailer);
}

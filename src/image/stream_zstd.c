/* SPDX-License-Identifier: MIT */
/*
 * zstd as the kernel reads it (lib/decompress_unzstd.c): one frame, with a window of 128 MiB at
 * most, which is what its decoder allows by default.
 */
#include <stdlib.h>
#include <zstd.h>

#include "stream_internal.h"

enum { PIECE = 128 * 1024, WINDOW_LOG = 27 };

static bool decompress_all(struct stream *stream, ZSTD_DStream *zstd, unsigned char *piece)
{
	ZSTD_outBuffer out = { piece, PIECE, 0 };
	const unsigned char *data;
	size_t length;
	size_t code = 1;

	while (code != 0 && stream_input(stream, &data, &length)) {
		ZSTD_inBuffer in = { data, length, 0 };
		code = ZSTD_decompressStream(zstd, &out, &in);
		stream->offset += in.pos;
		if (ZSTD_isError(code))
			return stream_fail(stream, "zstd", ZSTD_getErrorName(code));
		if (out.pos < out.size && code != 0)
			continue;
		if (!stream_emit(stream, piece, out.pos, true))
			return false;
		out.pos = 0;
	}
	return code == 0;
}

bool stream_zstd(struct stream *stream)
{
	ZSTD_DStream *zstd = ZSTD_createDStream();
	unsigned char *piece = malloc(PIECE);
	bool ok = zstd && piece &&
		  !ZSTD_isError(ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, WINDOW_LOG));

	if (ok)
		ok = decompress_all(stream, zstd, piece);
	else
		(void)stream_fail(stream, "zstd", "no memory");
	free(piece);
	(void)ZSTD_freeDStream(zstd);
	return ok;
}

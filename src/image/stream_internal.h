/* SPDX-License-Identifier: MIT */
/* What the decompressors share; each is a function for stream_unpack(). */
#ifndef NOPTRACE_STREAM_INTERNAL_H
#define NOPTRACE_STREAM_INTERNAL_H

#include "stream.h"

/* Hands bytes on, within the limits. */
bool stream_emit(struct stream *stream, const unsigned char *data, size_t length, bool border);

/* The bytes from stream->offset on, at least one: where there is none the member is cut, and fails.
 */
bool stream_input(struct stream *stream, const unsigned char **data, size_t *length);

/* Copies `size` bytes, and goes behind them. */
bool stream_read(struct stream *stream, void *to, size_t size);

/* Says what is wrong with the member, which is of this format; false. */
bool stream_fail(struct stream *stream, const char *format, const char *reason);

bool stream_gzip(struct stream *stream);
bool stream_bzip2(struct stream *stream);
bool stream_zstd(struct stream *stream);
bool stream_xz(struct stream *stream);
bool stream_lzma(struct stream *stream);
bool stream_lz4(struct stream *stream);
bool stream_lzo(struct stream *stream);

#endif

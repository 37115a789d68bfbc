/* SPDX-License-Identifier: MIT */
/* Unpacks what is compressed in an image: which format, and the limits of all; stream.h says more.
 */
#include <string.h>

#include "limits.h"
#include "stream.h"
#include "stream_internal.h"

static const struct {
	unsigned char magic[2];
	const char *name;
	bool (*unpack)(struct stream *stream);
} formats[] = {
	[STREAM_GZIP] = { { 0x1f, 0x8b }, "gzip", stream_gzip },
	[STREAM_BZIP2] = { { 'B', 'Z' }, "bzip2", stream_bzip2 },
	[STREAM_LZMA] = { { 0x5d, 0x00 }, "lzma", stream_lzma },
	[STREAM_XZ] = { { 0xfd, '7' }, "xz", stream_xz },
	[STREAM_LZO] = { { 0x89, 'L' }, "lzop", stream_lzo },
	[STREAM_LZ4] = { { 0x02, 0x21 }, "lz4", stream_lz4 },
	[STREAM_ZSTD] = { { 0x28, 0xb5 }, "zstd", stream_zstd },
};

enum stream_format stream_detect(const unsigned char *two)
{
	for (size_t i = STREAM_GZIP; i < sizeof formats / sizeof *formats; i++) {
		if (memcmp(formats[i].magic, two, sizeof formats[i].magic) == 0)
			return (enum stream_format)i;
	}
	return STREAM_UNKNOWN;
}

const char *stream_name(enum stream_format format)
{
	return formats[format].name;
}

bool stream_fail(struct stream *stream, const char *format, const char *reason)
{
	return fail(stream->failure, "byte %llu: %s: %s", (unsigned long long)stream->start, format,
		    reason);
}

uint64_t stream_most(uint64_t packed)
{
	uint64_t limit = LIMIT_UNPACKED_FREE + packed * LIMIT_RATIO;

	return limit < LIMIT_UNPACKED ? limit : LIMIT_UNPACKED;
}

bool stream_emit(struct stream *stream, const unsigned char *data, size_t length, bool border)
{
	stream->unpacked += length;
	if (stream->unpacked > stream_most(stream->offset))
		return fail(stream->failure,
			    "byte %llu: unpacks to more than %llu bytes: too much to be looked at",
			    (unsigned long long)stream->start,
			    (unsigned long long)stream_most(stream->offset));
	return stream->take(stream->closure, data, length, border);
}

bool stream_input(struct stream *stream, const unsigned char **data, size_t *length)
{
	return source_at(stream->source, stream->offset, data, length, stream->failure) &&
	       (*length != 0 ||
		fail(stream->failure,
		     "byte %llu: the image ends within what is compressed from byte %llu on",
		     (unsigned long long)stream->offset, (unsigned long long)stream->start));
}

bool stream_read(struct stream *stream, void *to, size_t size)
{
	const unsigned char *data;
	size_t length;

	if (source_copy(stream->source, stream->offset, to, size, stream->failure) == size) {
		stream->offset += size;
		return true;
	}
	stream->offset = stream->source->size;
	return stream_input(stream, &data, &length);
}

bool stream_unpack(struct stream *stream, enum stream_format format)
{
	stream->start = stream->offset;
	stream->formats |= 1U << format;
	return formats[format].unpack(stream);
}

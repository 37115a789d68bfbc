/* SPDX-License-Identifier: MIT */
/*
 * Unpacks what is compressed in an image: what a kernel takes (lib/decompress*.c), by each format's
 * own library, which knows where a member ends. What a kernel does not take is refused even where
 * the library would: other checks than CRC32 in xz, lz4's newer frames, gzip with a comment. A
 * check that a kernel does not make (gzip's CRC, lzop's) is not made.
 *
 * Known to be laxer: lzma with both a size and a mark at its end, where liblzma is 5.2; bzip2 with
 * a block that is full (level times 100,000 bytes) and ends in a run, which Linux 6.1 refuses, and
 * 6.12 and libbz2, which does not show it, take.
 * Known to be stricter than the kernel: bzip2 with bits that look like a randomised block, lzma
 * whose last bytes say nothing, lzo of the kernel's own run-length kind, xz filters that are not in
 * every kernel (all but x86), and whatever needs more memory than LIMIT_DICTIONARY.
 */
#ifndef NOPTRACE_STREAM_H
#define NOPTRACE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

enum stream_format {
	STREAM_UNKNOWN,
	STREAM_GZIP,
	STREAM_BZIP2,
	STREAM_LZMA,
	STREAM_XZ,
	STREAM_LZO,
	STREAM_LZ4,
	STREAM_ZSTD,
	STREAM_XZ_X86, /* xz with its filter for x86, which not every kernel has; never detected */
};

/* By two bytes, as the kernel does (lib/decompress.c). */
enum stream_format stream_detect(const unsigned char *two);

/* "gzip" and so on. */
const char *stream_name(enum stream_format format);

/* More than this cannot have come from so many bytes of an honest image. */
uint64_t stream_most(uint64_t packed);

struct stream {
	struct source *source;
	struct failure *failure;
	/*
	 * Gets what is unpacked, and may end it by returning false. The kernel unpacks into a
	 * buffer that it hands on when it is full; `border` says that it would do so behind these
	 * bytes, which now and then makes a difference to it.
	 */
	bool (*take)(void *closure, const unsigned char *data, size_t length, bool border);
	void *closure;
	uint64_t start;	   /* of the member */
	uint64_t offset;   /* of the next byte; at last that behind the member */
	uint64_t unpacked; /* from all members so far, against the limits */
	unsigned formats;  /* of all members so far: 1 << enum stream_format */
};

/*
 * Unpacks the member at stream->offset. False with the reason, which names a byte of the source,
 * when it is damaged, cut, too much, of a kind that kernels do not take, or when `take` returns
 * false. Memory: the dictionary, and 9 MiB at most.
 */
bool stream_unpack(struct stream *stream, enum stream_format format);

/*
 * Whether no match in a block of lz4 is at a distance of 0, which a decoder takes, and for which it
 * leaves what its room held before. Asked of what makes the first `length` bytes; what is cut, or
 * leads too far back, is for the decoder to refuse.
 */
bool stream_lz4_is_clear(const unsigned char *block, size_t size, size_t length);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * xz and lzma as the kernel reads them (lib/xz/xz_dec_stream.c, lib/decompress_unlzma.c). Of xz it
 * takes one stream, with CRC32 or no check, of blocks that LZMA2 alone has packed or LZMA2 behind a
 * filter for programs. The blocks are gone through one by one here, for liblzma's own reader of
 * streams takes more than that.
 */
#include <lzma.h>
#include <stdlib.h>

#include "limits.h"
#include "little_endian.h"
#include "stream_internal.h"

/* The kernel's buffer for xz. For lzma, whose borders are elsewhere, it is as good as another. */
enum { PIECE = 4096 };

struct xz {
	lzma_stream lzma;
	lzma_stream_flags flags;
	lzma_index_hash *index;
	unsigned char piece[PIECE];
};

static const char *reason_of(lzma_ret code)
{
	switch (code) {
	case LZMA_MEM_ERROR:
		return "no memory";
	case LZMA_MEMLIMIT_ERROR:
		return "more than 256 MiB of memory needed to unpack it";
	case LZMA_FORMAT_ERROR:
		return "not in the format";
	case LZMA_OPTIONS_ERROR:
		return "packed in a way that is not known";
	default:
		return "damaged data";
	}
}

/* Hands on what is in the piece, and makes it empty. */
static bool flush(struct stream *stream, struct xz *xz)
{
	size_t length = PIECE - xz->lzma.avail_out;

	xz->lzma.next_out = xz->piece;
	xz->lzma.avail_out = PIECE;
	return stream_emit(stream, xz->piece, length, true);
}

static bool unpack_block(struct stream *stream, struct xz *xz)
{
	lzma_ret code = LZMA_OK;
	size_t length;

	while (code == LZMA_OK && stream_input(stream, &xz->lzma.next_in, &length)) {
		xz->lzma.avail_in = length;
		code = lzma_code(&xz->lzma, LZMA_RUN);
		stream->offset += length - xz->lzma.avail_in;
		/* for which there is a reason */
		if (xz->lzma.avail_out == 0 && !flush(stream, xz))
			code = LZMA_DATA_ERROR;
	}
	return code == LZMA_STREAM_END || stream_fail(stream, "xz", reason_of(code));
}

/* How many bytes the properties of the first filter have. What liblzma made of them does not tell:
 * of an offset of 0 it makes none. */
static unsigned size_of_properties(const unsigned char *header)
{
	/* behind the flags are the sizes of the block that they say there are, and the filter's id
	 */
	size_t at = 2;

	for (unsigned flag = 0x40; flag <= 0x80; flag <<= 1) {
		while ((header[1] & flag) != 0 && header[at++] >= 0x80)
			;
	}
	return header[at + 1];
}

/* Not every kernel has the filters for other machines than its own, and few have those of arm64. */
static bool are_known(const lzma_filter *filters, const unsigned char *header)
{
	if (filters[0].id == LZMA_FILTER_LZMA2)
		return filters[1].id == LZMA_VLI_UNKNOWN;
	/* the only property is an offset to start from, which no kernel takes */
	return filters[0].id == LZMA_FILTER_X86 && size_of_properties(header) == 0 &&
	       filters[1].id == LZMA_FILTER_LZMA2 && filters[2].id == LZMA_VLI_UNKNOWN;
}

static bool read_block(struct stream *stream, struct xz *xz, lzma_block *block,
		       const unsigned char *header)
{
	lzma_ret code = LZMA_OK;

	if (!are_known(block->filters, header))
		return stream_fail(stream, "xz", "a filter that not every kernel knows");
	if (block->filters[0].id == LZMA_FILTER_X86)
		stream->formats |= 1U << STREAM_XZ_X86;
	if (lzma_raw_decoder_memusage(block->filters) > LIMIT_DICTIONARY)
		return stream_fail(stream, "xz", reason_of(LZMA_MEMLIMIT_ERROR));
	code = lzma_block_decoder(&xz->lzma, block);
	if (code != LZMA_OK)
		return stream_fail(stream, "xz", reason_of(code));
	return unpack_block(stream, xz) &&
	       (lzma_index_hash_append(xz->index, lzma_block_unpadded_size(block),
				       block->uncompressed_size) == LZMA_OK ||
		stream_fail(stream, "xz", reason_of(LZMA_DATA_ERROR)));
}

static bool unpack_next(struct stream *stream, struct xz *xz, unsigned char first)
{
	unsigned char header[LZMA_BLOCK_HEADER_SIZE_MAX];
	lzma_filter filters[LZMA_FILTERS_MAX + 1];
	lzma_block block = { .version = 1,
			     .check = xz->flags.check,
			     .filters = filters,
			     .header_size = lzma_block_header_size_decode(first) };
	lzma_ret code = LZMA_DATA_ERROR;
	bool ok = false;

	if (stream_read(stream, header, block.header_size))
		code = lzma_block_header_decode(&block, NULL, header);
	if (code != LZMA_OK)
		return stream_fail(stream, "xz", reason_of(code));
	ok = read_block(stream, xz, &block, header);
	for (size_t i = 0; filters[i].id != LZMA_VLI_UNKNOWN; i++)
		free(filters[i].options);
	return ok;
}

static bool unpack_blocks(struct stream *stream, struct xz *xz)
{
	const unsigned char *data;
	size_t length;
	bool ok = true;

	while (ok && stream_input(stream, &data, &length) && data[0] != 0)
		ok = unpack_next(stream, xz, data[0]);
	return flush(stream, xz) && ok;
}

static bool read_index(struct stream *stream, struct xz *xz)
{
	lzma_ret code = LZMA_OK;
	const unsigned char *data;
	size_t length;

	while (code == LZMA_OK && stream_input(stream, &data, &length)) {
		size_t used = 0;
		code = lzma_index_hash_decode(xz->index, data, &used, length);
		stream->offset += used;
	}
	return code == LZMA_STREAM_END || stream_fail(stream, "xz", reason_of(code));
}

static bool read_footer(struct stream *stream, struct xz *xz)
{
	unsigned char footer[LZMA_STREAM_HEADER_SIZE];
	lzma_stream_flags flags;

	if (!stream_read(stream, footer, sizeof footer))
		return false;
	if (lzma_stream_footer_decode(&flags, footer) != LZMA_OK ||
	    lzma_stream_flags_compare(&xz->flags, &flags) != LZMA_OK ||
	    flags.backward_size != lzma_index_hash_size(xz->index))
		return stream_fail(stream, "xz", reason_of(LZMA_DATA_ERROR));
	return true;
}

static bool read_header(struct stream *stream, struct xz *xz)
{
	unsigned char header[LZMA_STREAM_HEADER_SIZE];
	lzma_ret code = LZMA_DATA_ERROR;

	if (stream_read(stream, header, sizeof header))
		code = lzma_stream_header_decode(&xz->flags, header);
	if (code != LZMA_OK)
		return stream_fail(stream, "xz", reason_of(code));
	if (xz->flags.check != LZMA_CHECK_NONE && xz->flags.check != LZMA_CHECK_CRC32)
		return stream_fail(
		    stream, "xz",
		    "its check is not CRC32, which is what kernels take (xz --check=crc32)");
	return true;
}

bool stream_xz(struct stream *stream)
{
	struct xz xz = { .lzma = LZMA_STREAM_INIT, .index = NULL };
	bool ok = false;

	xz.lzma.next_out = xz.piece;
	xz.lzma.avail_out = PIECE;
	xz.index = lzma_index_hash_init(NULL, NULL);
	if (!xz.index)
		return stream_fail(stream, "xz", reason_of(LZMA_MEM_ERROR));
	ok = read_header(stream, &xz) && unpack_blocks(stream, &xz) && read_index(stream, &xz) &&
	     read_footer(stream, &xz);
	lzma_end(&xz.lzma);
	lzma_index_hash_end(xz.index, NULL);
	return ok;
}

enum { LZMA_HEADER = 13 }; /* properties, dictionary, size or -1 */

/* The kernel's buffer is the dictionary, which it hands on when it is full. */
struct alone {
	lzma_stream lzma;
	uint32_t dictionary;
	uint64_t unpacked;
	unsigned char piece[PIECE];
};

static size_t next_piece(const struct alone *alone)
{
	size_t left = alone->dictionary - (size_t)(alone->unpacked % alone->dictionary);

	return left < PIECE ? left : PIECE;
}

/* What is packed may be at its end before what is unpacked has a place to go. */
static bool unpack_more(struct stream *stream, struct alone *alone, lzma_ret *code)
{
	const unsigned char *data;
	size_t length;
	size_t before = alone->lzma.avail_out;

	if (!source_at(stream->source, stream->offset, &data, &length, stream->failure))
		return false;
	alone->lzma.next_in = data;
	alone->lzma.avail_in = length;
	*code = lzma_code(&alone->lzma, LZMA_RUN);
	stream->offset += length - alone->lzma.avail_in;
	if (length == 0 && alone->lzma.avail_out == before && *code != LZMA_STREAM_END)
		return stream_input(stream, &data, &length);
	return *code == LZMA_OK || *code == LZMA_STREAM_END ||
	       stream_fail(stream, "lzma", reason_of(*code));
}

static bool unpack_alone(struct stream *stream, struct alone *alone)
{
	size_t size = next_piece(alone);
	lzma_ret code = LZMA_OK;

	alone->lzma.next_out = alone->piece;
	alone->lzma.avail_out = size;
	while (code == LZMA_OK) {
		if (!unpack_more(stream, alone, &code))
			return false;
		if (alone->lzma.avail_out != 0 && code == LZMA_OK)
			continue;
		size -= alone->lzma.avail_out;
		alone->unpacked += size;
		if (!stream_emit(stream, alone->piece, size,
				 alone->unpacked % alone->dictionary == 0))
			return false;
		size = next_piece(alone);
		alone->lzma.next_out = alone->piece;
		alone->lzma.avail_out = size;
	}
	return true;
}

/* A mark at the end only where no size is given, as it is without LZMA_LZMA1EXT_ALLOW_EOPM: the
 * kernel stops before it, and chokes. */
static lzma_ret begin_alone(struct alone *alone, const unsigned char *header, uint64_t size)
{
#if LZMA_VERSION >= 50040002U
	/* the magic number says 5d, which is these three */
	lzma_options_lzma options = { .dict_size = alone->dictionary, .lc = 3, .lp = 0, .pb = 2 };
	const lzma_filter filters[] = { { LZMA_FILTER_LZMA1EXT, &options },
					{ LZMA_VLI_UNKNOWN, NULL } };

	(void)header;
	lzma_set_ext_size(options, size);
	return lzma_raw_decoder(&alone->lzma, filters);
#else
	/* liblzma 5.2 has no other decoder that knows of a size, and to 5.2.5 this one wants no
	   mark behind it; later it takes one */
	lzma_ret code = lzma_alone_decoder(&alone->lzma, UINT64_MAX);

	(void)size;
	alone->lzma.next_in = header;
	alone->lzma.avail_in = LZMA_HEADER;
	/* it reads nothing as long as there is no room */
	alone->lzma.next_out = alone->piece;
	alone->lzma.avail_out = sizeof alone->piece;
	return code == LZMA_OK ? lzma_code(&alone->lzma, LZMA_RUN) : code;
#endif
}

bool stream_lzma(struct stream *stream)
{
	struct alone alone = { .lzma = LZMA_STREAM_INIT };
	unsigned char header[LZMA_HEADER];
	lzma_ret code = LZMA_OK;
	uint64_t size = 0;
	bool ok = false;

	if (!stream_read(stream, header, sizeof header))
		return false;
	alone.dictionary = read_le32(header + 1);
	if (alone.dictionary < LZMA_DICT_SIZE_MIN || alone.dictionary > LIMIT_DICTIONARY)
		return stream_fail(stream, "lzma",
				   "a dictionary of less than 4 KiB or more than 256 MiB");
	size = read_le64(header + 5);
	/* for which the kernel has no buffer */
	if (size == 0)
		return stream_fail(stream, "lzma", "its header says that it unpacks to nothing");
	code = begin_alone(&alone, header, size);
	ok = code == LZMA_OK ? unpack_alone(stream, &alone)
			     : stream_fail(stream, "lzma", reason_of(code));
	lzma_end(&alone.lzma);
	return ok;
}

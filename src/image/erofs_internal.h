/* SPDX-License-Identifier: MIT */
/* What the reader of erofs shares among its files; erofs.h is the interface. */
#ifndef NOPTRACE_EROFS_INTERNAL_H
#define NOPTRACE_EROFS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "failure.h"
#include "tree.h"

/* What a compressed piece may unpack to, and be: the kernel's Z_EROFS_PCLUSTER_MAX_DSIZE,
 * _MAX_SIZE. */
enum { EROFS_MADE = 12 * 1024 * 1024, EROFS_PACKED = 1024 * 1024 };

/* Of compressed files, a block and a logical cluster: mkfs.erofs knows no other, unless told. */
enum { EROFS_CLUSTER_BITS = 12, EROFS_CLUSTER = 1 << EROFS_CLUSTER_BITS };

struct erofs_inode {
	uint64_t nid;
	mode_t mode;
	uint64_t size;
	unsigned layout;
	uint32_t block; /* where a flat content begins */
	uint64_t attributes, attributes_size;
	uint64_t behind; /* where the inode ends, and its inline content or its index begins */
};

enum erofs_layout { EROFS_PLAIN, EROFS_FULL, EROFS_INLINE, EROFS_COMPACT };

enum erofs_algorithm { EROFS_LZ4, EROFS_LZMA, EROFS_DEFLATE, EROFS_ZSTD };

/* The header of a compressed file's index (struct z_erofs_map_header), and a pack of the index. */
struct erofs_map {
	uint64_t index; /* where it begins */
	uint64_t count; /* of logical clusters */
	bool compact, twos, big, interlaced;
	enum erofs_algorithm algorithm;
	bool all_fragment, tail_fragment;
	uint64_t fragment; /* where it is in the packed file */
};

/* Some of a file's bytes that lie together: a physical cluster. */
struct erofs_extent {
	uint64_t at, length;  /* in the file */
	uint64_t place, size; /* in the image */
	bool compressed, fragment;
	bool partial;  /* what it unpacks to may be more than is of the file */
	uint64_t high; /* of the offset of a fragment */
};

struct erofs {
	int fd;
	uint64_t size;
	unsigned block_bits;
	uint64_t meta;	     /* where inodes count from */
	uint64_t shared;     /* and extended attributes that several have */
	bool big;	     /* whether compressed pieces of several blocks are announced, */
	unsigned algorithms; /* and which algorithms, a bit for each */
	/* of which the largest piece, dictionary and window are told, in bytes */
	uint32_t lz4_piece, lzma_dictionary, zstd_window;
	bool padded;	    /* zeros stand before what is compressed, and not behind */
	bool shared_pieces; /* fragments, and pieces of which a file has a part, are announced */
	uint64_t packed;    /* the inode of the file that has the fragments, or 0 */
	struct tree *tree;
	struct failure *failure;
	uint64_t work;		/* bytes that were read and unpacked, against LIMIT_UNPACKED */
	struct folder *folders; /* that are still to be read */
	/* what was unpacked last */
	unsigned char *made, *compressed;
	uint64_t made_of, made_at, made_length;
	uint32_t *ways; /* for each block, how the piece that begins there was unpacked, or 0 */
};

#define EROFS_CUT "it is cut short, or damaged: something is behind its end"

/* Says what is wrong, and returns false. */
bool erofs_odd(struct erofs *fs, const char *what);

/* Counts work that grows with what the image says. False beyond the bound. */
bool erofs_work(struct erofs *fs, uint64_t bytes);

/* Reads these bytes of the image. False if it is shorter. */
bool erofs_get(struct erofs *fs, uint64_t at, void *to, size_t size);

bool erofs_get_inode(struct erofs *fs, uint64_t nid, struct erofs_inode *inode);

/* Reads the header of a compressed file's index. */
bool erofs_get_map(struct erofs *fs, const struct erofs_inode *inode, struct erofs_map *map);

/* Finds the piece that has the byte `at` of a file, which is before its end. */
bool erofs_find_extent(struct erofs *fs, const struct erofs_inode *inode,
		       const struct erofs_map *map, uint64_t at, struct erofs_extent *extent);

/* Reads a content, be it flat or compressed, from `at` on: `size` bytes, which are before its end.
 */
bool erofs_read_content(struct erofs *fs, const struct erofs_inode *inode, uint64_t at,
			unsigned char *to, size_t size);

/* Reads what the superblock announces of algorithms: in a field of two bytes a bit for each, and at
 * `at` something of each; without fs->big there is lz4 alone, and that field is about it. */
bool erofs_get_algorithms(struct erofs *fs, uint16_t field, uint64_t at);

/* Unpacks `length` bytes, which with `partial` may be the first of more. False if that is not what
 * it is, or where the superblock announces less than it takes. */
bool erofs_unpack(const struct erofs *fs, enum erofs_algorithm algorithm, bool partial,
		  const unsigned char *from, size_t size, unsigned char *to, size_t length);

#endif

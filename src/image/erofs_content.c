/* SPDX-License-Identifier: MIT */
/* What is in the files of an erofs; see erofs_map.c for where it is. */
#include <string.h>

#include "erofs_internal.h"

static bool read_flat(struct erofs *fs, const struct erofs_inode *inode, uint64_t at,
		      unsigned char *to, size_t size)
{
	uint64_t block = 1ULL << fs->block_bits;
	/* of an inline content, what does not fill a block is behind the inode */
	uint64_t whole =
	    inode->layout == EROFS_INLINE ? (inode->size - 1) & ~(block - 1) : inode->size;
	uint64_t tail = inode->size - whole;
	uint64_t begin = (uint64_t)inode->block << fs->block_bits;
	size_t here = 0;

	if (at < whole) {
		here = size < whole - at ? size : (size_t)(whole - at);
		/* kernels read whole blocks, of which the last one must be there */
		if (begin + ((whole + block - 1) & ~(block - 1)) > fs->size)
			return erofs_odd(fs, EROFS_CUT);
		if (!erofs_get(fs, begin + at, to, here))
			return false;
	}
	if (here == size)
		return true;
	if (tail > block - (inode->behind & (block - 1)))
		return erofs_odd(fs, "an inline content that goes beyond its block");
	return erofs_get(fs, inode->behind + (at + here - whole), to + here, size - here);
}

/* What is not compressed may stand in its block as it stands in that of the file. */
static bool copy_piece(struct erofs *fs, const struct erofs_map *map,
		       const struct erofs_extent *extent)
{
	size_t turn = map->interlaced ? extent->at % EROFS_CLUSTER : 0;

	if (extent->length > extent->size)
		return erofs_odd(fs, "a piece that is longer than what holds it");
	for (size_t i = 0; i < extent->length; i++)
		fs->made[i] = fs->compressed[(turn + i) % EROFS_CLUSTER];
	return true;
}

static bool unpack_piece(struct erofs *fs, const struct erofs_map *map,
			 const struct erofs_extent *extent)
{
	size_t zeros = 0;

	/* of lz4 alone the superblock says whether zeros stand before it */
	while ((fs->padded || map->algorithm != EROFS_LZ4) && zeros < EROFS_CLUSTER &&
	       fs->compressed[zeros] == 0)
		zeros++;
	return (zeros < EROFS_CLUSTER &&
		erofs_unpack(fs, map->algorithm, extent->partial, fs->compressed + zeros,
			     (size_t)extent->size - zeros, fs->made, (size_t)extent->length)) ||
	       erofs_odd(fs,
			 "a file whose compressed content is damaged, or of an algorithm that is "
			 "not looked into");
}

/* Whether its place was read in this way before, if it was: kernels know a piece by where it is,
 * and unpack it once for all that have it (z_erofs_pcluster_begin()). */
static bool is_one_piece(struct erofs *fs, const struct erofs_map *map,
			 const struct erofs_extent *extent)
{
	enum { TURNED = 1 << 12, PLAIN = 1 << 13, ALGORITHM = 1 << 14 };
	uint32_t *before = &fs->ways[extent->place / EROFS_CLUSTER];
	uint32_t way = PLAIN;

	if (extent->compressed)
		way = ALGORITHM * (1U + map->algorithm) + (uint32_t)(extent->size / EROFS_CLUSTER);
	else if (map->interlaced)
		way = TURNED + (uint32_t)(extent->at % EROFS_CLUSTER);
	if (*before == 0)
		*before = way;
	return *before == way || erofs_odd(fs, "a piece that is read in two ways");
}

/* Leaves what a piece holds in fs->made, where it may be already. */
static bool make_piece(struct erofs *fs, const struct erofs_inode *inode,
		       const struct erofs_map *map, const struct erofs_extent *extent)
{
	bool ok;

	if (fs->made_length > 0 && fs->made_of == inode->nid && fs->made_at == extent->at)
		return true;
	fs->made_length = 0;
	ok = erofs_get(fs, extent->place, fs->compressed, (size_t)extent->size) &&
	     is_one_piece(fs, map, extent) && erofs_work(fs, extent->length) &&
	     (extent->compressed ? unpack_piece(fs, map, extent) : copy_piece(fs, map, extent));
	if (!ok)
		return false;
	fs->made_of = inode->nid;
	fs->made_at = extent->at;
	fs->made_length = extent->length;
	return true;
}

/* Up to where a fragment begins: *done bytes are read, and the rest is at *fragment in the packed
 * file, if it is read from its first byte on. Only the packed file is read from its middle, and a
 * fragment in that is refused. */
static bool read_compressed(struct erofs *fs, const struct erofs_inode *inode, uint64_t at,
			    unsigned char *to, size_t size, size_t *done, uint64_t *fragment)
{
	struct erofs_map map;
	struct erofs_extent extent;

	*done = 0;
	if (!erofs_get_map(fs, inode, &map))
		return false;
	*fragment = map.fragment;
	while (!map.all_fragment && *done < size) {
		uint64_t skip;
		size_t here = size - *done;

		if (!erofs_find_extent(fs, inode, &map, at + *done, &extent))
			return false;
		if (extent.fragment) {
			*fragment += map.compact ? 0 : extent.high << 32;
			return true;
		}
		if (!make_piece(fs, inode, &map, &extent))
			return false;
		skip = at + *done - extent.at;
		if (here > extent.length - skip)
			here = (size_t)(extent.length - skip);
		memcpy(to + *done, fs->made + skip, here);
		*done += here;
	}
	return true;
}

static bool read_part(struct erofs *fs, const struct erofs_inode *inode, uint64_t at,
		      unsigned char *to, size_t size, size_t *done, uint64_t *fragment)
{
	if (inode->layout == EROFS_FULL || inode->layout == EROFS_COMPACT)
		return read_compressed(fs, inode, at, to, size, done, fragment);
	*done = size;
	return read_flat(fs, inode, at, to, size);
}

bool erofs_read_content(struct erofs *fs, const struct erofs_inode *inode, uint64_t at,
			unsigned char *to, size_t size)
{
	struct erofs_inode packed;
	uint64_t fragment = 0;
	size_t done;

	if (!read_part(fs, inode, at, to, size, &done, &fragment))
		return false;
	if (done == size)
		return true;
	if (fs->packed == 0 || !erofs_get_inode(fs, fs->packed, &packed))
		return erofs_odd(fs, "a fragment of nothing");
	to += done;
	size -= done;
	if (fragment > packed.size || size > packed.size - fragment)
		return erofs_odd(fs, "a fragment that is not there");
	at = fragment;
	if (!read_part(fs, &packed, at, to, size, &done, &fragment))
		return false;
	return done == size || erofs_odd(fs, "a fragment of fragments");
}

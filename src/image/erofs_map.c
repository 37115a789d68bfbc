/* SPDX-License-Identifier: MIT */
/*
 * Where the bytes of a compressed file are (fs/erofs/zmap.c of Linux). A file is cut into logical
 * clusters of a block each, and an index has an entry for each: either a piece begins in it (a
 * head, at some byte of the cluster) and the entry leads to where that is stored, or it does not. A
 * piece goes on to the next head.
 */
#include "erofs_internal.h"
#include "little_endian.h"

enum type { PLAIN, HEAD, NONHEAD, HEAD2 };

/* Of z_erofs_map_header: what h_advise says. */
enum {
	ADVISE_TWOS = 1,
	ADVISE_BIG = 2,
	ADVISE_BIG2 = 4, /* of the second algorithm: nothing has one here */
	ADVISE_INTERLACED = 16,
	ADVISE_FRAGMENT = 32,
	ADVISE_KNOWN = ADVISE_TWOS | ADVISE_BIG | ADVISE_BIG2 | ADVISE_INTERLACED | ADVISE_FRAGMENT,
};

/* What a nonhead says instead of the distance to its head: of how many blocks the piece is. */
enum { COUNT_OF_BLOCKS = 1 << 11 };

enum { HEADER = 8, LARGEST_PACK = 32 };

/* What the index has for one logical cluster. */
struct entry {
	enum type type;
	unsigned at;	 /* where in the cluster a piece begins */
	uint32_t block;	 /* and where it is stored */
	unsigned blocks; /* in a nonhead, if it says that; otherwise 0 */
};

bool erofs_get_map(struct erofs *fs, const struct erofs_inode *inode, struct erofs_map *map)
{
	uint64_t at = (inode->behind + 7) & ~7ULL;
	unsigned char header[HEADER];
	unsigned advise;

	*map = (struct erofs_map) { .compact = inode->layout == EROFS_COMPACT };
	if (!erofs_get(fs, at, header, sizeof header))
		return false;
	if (header[7] & 0x80) {
		map->all_fragment = true;
		map->fragment = read_le64(header) & ~(1ULL << 63);
		return true;
	}
	advise = read_le16(header + 4);
	if ((advise & ~(unsigned)ADVISE_KNOWN) != 0 || fs->block_bits != EROFS_CLUSTER_BITS ||
	    (header[7] & 7) != 0)
		return erofs_odd(fs, "has a file compressed in a way that is not looked into");
	if ((advise & (ADVISE_BIG | ADVISE_BIG2) && !fs->big) ||
	    !(fs->algorithms >> (header[6] & 15) & 1))
		return erofs_odd(fs, "has a file compressed in a way that its superblock does not "
				     "announce, which the kernel does not read");
	map->index = at + HEADER + (map->compact ? 0 : 8);
	map->count = inode->size / EROFS_CLUSTER + (inode->size % EROFS_CLUSTER != 0);
	map->twos = advise & ADVISE_TWOS;
	map->big = advise & ADVISE_BIG;
	map->interlaced = advise & ADVISE_INTERLACED;
	map->algorithm = header[6] & 15;
	map->tail_fragment = advise & ADVISE_FRAGMENT;
	map->fragment = read_le32(header);
	return true;
}

static bool full_entry(struct erofs *fs, const struct erofs_map *map, uint64_t number,
		       struct entry *entry)
{
	unsigned char raw[8];

	if (!erofs_get(fs, map->index + 8 * number, raw, sizeof raw))
		return false;
	*entry = (struct entry) { .type = raw[0] & 3 };
	if (entry->type == NONHEAD) {
		unsigned distance = read_le16(raw + 4);

		entry->blocks =
		    distance & COUNT_OF_BLOCKS ? distance & ~(unsigned)COUNT_OF_BLOCKS : 0;
		return true;
	}
	entry->at = read_le16(raw + 2);
	entry->block = read_le32(raw + 4);
	return true;
}

/* Entries that are packed together, with one number of a block for all at their end. */
struct pack {
	uint64_t at;
	unsigned number, count, bits; /* which of them is asked for, how many, how wide */
};

/*
 * The first packs are of two entries in eight bytes, up to a multiple of 32; then of sixteen in 32
 * bytes if the file has such ones, as far as they are full; then of two again.
 */
static struct pack find_pack(const struct erofs_map *map, uint64_t number)
{
	uint64_t first = (32 - map->index % 32) % 32 / 4;
	uint64_t small = map->twos && first < map->count ? (map->count - first) / 16 * 16 : 0;
	uint64_t at = map->index;

	if (number >= first && number - first < small) {
		number -= first;
		at += 4 * first + 2 * (number & ~15ULL);
		return (struct pack) { at, (unsigned)(number % 16), 16, 14 };
	}
	if (number >= first + small) {
		number -= first + small;
		at += 4 * first + 2 * small;
	}
	return (struct pack) { at + 4 * (number & ~1ULL), (unsigned)(number % 2), 2, 16 };
}

/* The entry with that number of a pack. Behind it are the four bytes of the block's number. */
static struct entry unpack(const unsigned char *raw, const struct pack *pack, unsigned number)
{
	unsigned bit = number * pack->bits;
	uint32_t value = read_le32(raw + bit / 8) >> (bit % 8);
	unsigned low = value & (EROFS_CLUSTER - 1);
	struct entry entry = { .type = value >> EROFS_CLUSTER_BITS & 3 };

	if (entry.type != NONHEAD)
		entry.at = low;
	else if (low & COUNT_OF_BLOCKS)
		entry.blocks = low & ~(unsigned)COUNT_OF_BLOCKS;
	return entry;
}

static bool compact_entry(struct erofs *fs, const struct erofs_map *map, uint64_t number,
			  struct entry *entry)
{
	unsigned char raw[LARGEST_PACK];
	struct pack pack = find_pack(map, number);
	size_t size = pack.count == 2 ? 8 : 32;
	/* without big pieces, the number is that of the block before the pack's first piece */
	uint32_t blocks = map->big ? 0 : 1;

	if (!erofs_get(fs, pack.at, raw, size))
		return false;
	*entry = unpack(raw, &pack, 0);
	for (unsigned i = 0; i < pack.number; i++) {
		struct entry next = unpack(raw, &pack, i + 1);

		if (entry->type == NONHEAD)
			blocks += map->big ? entry->blocks : 0;
		else if (!map->big || next.type != NONHEAD)
			blocks++;
		*entry = next;
	}
	entry->block = read_le32(raw + size - 4) + blocks;
	return true;
}

static bool get_entry(struct erofs *fs, const struct erofs_map *map, uint64_t number,
		      struct entry *entry)
{
	bool ok = map->compact ? compact_entry(fs, map, number, entry)
			       : full_entry(fs, map, number, entry);

	if (!ok)
		return false;
	if (entry->type == HEAD2)
		return erofs_odd(fs, "has a file of two algorithms, which is not looked into");
	return entry->at < EROFS_CLUSTER || erofs_odd(fs, "an index that is damaged");
}

/* How much of the image a piece takes, whose head is in that cluster. */
static bool get_size(struct erofs *fs, const struct erofs_map *map, uint64_t number,
		     struct erofs_extent *extent)
{
	struct entry next = { .type = HEAD };

	extent->size = EROFS_CLUSTER;
	if (!map->big || !extent->compressed || number + 1 >= map->count)
		return true;
	if (!get_entry(fs, map, number + 1, &next))
		return false;
	if (next.type == NONHEAD)
		extent->size = (uint64_t)next.blocks * EROFS_CLUSTER;
	return (extent->size > 0 && extent->size <= EROFS_PACKED) ||
	       erofs_odd(fs, "an index that is damaged");
}

bool erofs_find_extent(struct erofs *fs, const struct erofs_inode *inode,
		       const struct erofs_map *map, uint64_t at, struct erofs_extent *extent)
{
	uint64_t number = at / EROFS_CLUSTER;
	uint64_t next = number;
	uint64_t end = inode->size;
	struct entry head = { .type = NONHEAD };
	struct entry entry = { .type = NONHEAD };

	do {
		if (!get_entry(fs, map, next, &head))
			return false;
		if (head.type != NONHEAD && next * EROFS_CLUSTER + head.at <= at)
			break;
		/* one that begins behind `at` is where this ends */
	} while (next-- > 0 && number - next <= EROFS_MADE / EROFS_CLUSTER);
	if (next > number || number - next > EROFS_MADE / EROFS_CLUSTER)
		return erofs_odd(fs, "an index that is damaged");
	*extent = (struct erofs_extent) {
		.at = next * EROFS_CLUSTER + head.at,
		.place = (uint64_t)head.block << fs->block_bits,
		.compressed = head.type == HEAD,
		.high = head.block,
	};
	number = next;
	while (++next < map->count && entry.type == NONHEAD) {
		if (next - number > EROFS_MADE / EROFS_CLUSTER)
			return erofs_odd(fs, "a piece that is longer than the kernel takes");
		if (!get_entry(fs, map, next, &entry))
			return false;
		if (entry.type != NONHEAD)
			end = next * EROFS_CLUSTER + entry.at;
	}
	/* a head may stand where the file ends, and then begins nothing */
	if (end > inode->size)
		end = inode->size;
	extent->length = end - extent->at;
	if (end <= at || extent->length > EROFS_MADE)
		return erofs_odd(fs, "an index that is damaged");
	/* a fragment takes nothing here, and its index says nothing about that */
	extent->fragment = map->tail_fragment && end == inode->size;
	return extent->fragment || get_size(fs, map, number, extent);
}

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
	ADVISE_TWOS = 1, /* of a compact index alone; of a full one newer kernels make a table */
	ADVISE_BIG = 2,
	ADVISE_BIG2 = 4, /* of the second algorithm and of what is not compressed */
	ADVISE_INTERLACED = 16,
	ADVISE_FRAGMENT = 32,
	ADVISE_KNOWN = ADVISE_TWOS | ADVISE_BIG | ADVISE_BIG2 | ADVISE_INTERLACED | ADVISE_FRAGMENT,
};

/* What a nonhead says instead of the distance to its head: of how many blocks the piece is. */
enum { COUNT_OF_BLOCKS = 1 << 11, FARTHEST = COUNT_OF_BLOCKS - 1 };

/* Of a head in a full index: the piece may be of more than the file has. */
enum { PARTIAL = 1 << 15 };

enum { HEADER = 8, LARGEST_PACK = 32 };

/* What the index has for one logical cluster. */
struct entry {
	enum type type;
	unsigned at;	/* where in the cluster a piece begins */
	uint32_t block; /* and where it is stored */
	bool partial;	/* and whether more than is of the file */
	/* what a nonhead says: of how many blocks the piece is, or how many clusters before its
	 * head is; and how many behind it the next one is, or 0 */
	bool counted;
	unsigned blocks, back, ahead;
};

static bool damaged(struct erofs *fs)
{
	return erofs_odd(fs, "an index that is damaged");
}

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
	    header[6] >> 4 != 0 || header[7] != 0 || (!map->compact && advise & ADVISE_TWOS))
		return erofs_odd(fs, "has a file compressed in a way that is not looked into");
	if ((advise & (ADVISE_BIG | ADVISE_BIG2) && !fs->big) ||
	    (advise & ADVISE_INTERLACED && !fs->shared_pieces) ||
	    !(fs->algorithms >> (header[6] & 15) & 1))
		return erofs_odd(fs, "has a file compressed in a way that its superblock does not "
				     "announce, which the kernel does not read");
	if (map->compact && !(advise & ADVISE_BIG) != !(advise & ADVISE_BIG2))
		return damaged(fs);
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

static void set_distance(struct entry *entry, unsigned value)
{
	entry->counted = value & COUNT_OF_BLOCKS;
	entry->blocks = entry->counted ? value & ~(unsigned)COUNT_OF_BLOCKS : 0;
	entry->back = entry->counted ? 1 : value;
}

/* Whether the kernel, which goes by what nonheads say, comes from this one to its head, which is
 * from `least` to `most` clusters before it: at once, or, from far away, through those between. */
static bool leads_back(const struct erofs_map *map, const struct entry *entry, uint64_t least,
		       uint64_t most)
{
	if (entry->counted)
		return map->big && least == 1;
	/* the first behind a head counts, where pieces are large */
	if (map->big && least == 1)
		least++;
	if (least > FARTHEST)
		least = FARTHEST;
	return entry->back >= least && entry->back <= most;
}

static bool full_entry(struct erofs *fs, const struct erofs_map *map, uint64_t number,
		       struct entry *entry)
{
	unsigned char raw[8];

	if (!erofs_get(fs, map->index + 8 * number, raw, sizeof raw))
		return false;
	*entry = (struct entry) { .type = raw[0] & 3 };
	if (entry->type == NONHEAD) {
		set_distance(entry, read_le16(raw + 4));
		entry->ahead = read_le16(raw + 6);
		return true;
	}
	entry->partial = fs->shared_pieces && read_le16(raw) & PARTIAL;
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
	else
		set_distance(&entry, low);
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
	struct entry before = { .type = NONHEAD };
	/* how many there are to the head, at least: it may stand before the pack */
	uint64_t least = 0;
	bool known = false;

	if (!erofs_get(fs, pack.at, raw, size))
		return false;
	for (unsigned i = 0; i <= pack.number; i++) {
		*entry = unpack(raw, &pack, i);
		if (before.type == NONHEAD)
			blocks += map->big ? before.blocks : 0;
		else if (!map->big || entry->type != NONHEAD)
			blocks++;
		least++;
		if (entry->type != NONHEAD) {
			known = true;
			least = 0;
		} else if (i + 1 == pack.count && !entry->counted) {
			/* the last of a pack leads to the next head */
			entry->ahead = entry->back;
			entry->back = before.back + 1;
		} else if (!leads_back(map, entry, least, known ? least : UINT64_MAX)) {
			return damaged(fs);
		} else if (entry->counted) {
			/* which it is right behind */
			known = true;
		}
		before = *entry;
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
	return entry->at < EROFS_CLUSTER || damaged(fs);
}

/* How much of the image a piece takes, whose head is in that cluster. */
static bool get_size(struct erofs *fs, const struct erofs_map *map, uint64_t number,
		     struct erofs_extent *extent)
{
	struct entry next = { .type = HEAD };

	extent->size = EROFS_CLUSTER;
	if (!map->big || number + 1 >= map->count)
		return true;
	if (!get_entry(fs, map, number + 1, &next))
		return false;
	/* newer kernels take its count for what is not compressed, too */
	if (next.type == NONHEAD && !extent->compressed)
		return damaged(fs);
	if (next.type == NONHEAD)
		extent->size = (uint64_t)next.blocks * EROFS_CLUSTER;
	return (extent->size > 0 &&
		extent->size <= (map->algorithm == EROFS_LZ4 ? fs->lz4_piece : EROFS_PACKED)) ||
	       damaged(fs);
}

/* Where in the file the piece ends whose head is in that cluster: where the next one begins. */
static bool find_end(struct erofs *fs, const struct erofs_inode *inode, const struct erofs_map *map,
		     uint64_t number, uint64_t *end)
{
	struct entry entry = { .type = NONHEAD };
	uint64_t reach = 0; /* where nonheads say that this is */

	*end = inode->size;
	for (uint64_t next = number + 1; next < map->count && entry.type == NONHEAD; next++) {
		if (next - number > EROFS_MADE / EROFS_CLUSTER)
			return erofs_odd(fs, "a piece that is longer than the kernel takes");
		if (!get_entry(fs, map, next, &entry))
			return false;
		if (entry.type != NONHEAD) {
			*end = next * EROFS_CLUSTER + entry.at;
			if (reach > next)
				return damaged(fs);
		} else if (!leads_back(map, &entry, next - number, next - number)) {
			return damaged(fs);
		} else if (next + entry.ahead > reach) {
			reach = next + entry.ahead;
		}
	}
	/* a head may stand where the file ends, and then begins nothing */
	if (*end > inode->size)
		*end = inode->size;
	return true;
}

bool erofs_find_extent(struct erofs *fs, const struct erofs_inode *inode,
		       const struct erofs_map *map, uint64_t at, struct erofs_extent *extent)
{
	uint64_t number = at / EROFS_CLUSTER;
	uint64_t next = number;
	uint64_t end;
	struct entry head = { .type = NONHEAD };

	do {
		if (!get_entry(fs, map, next, &head))
			return false;
		if (head.type != NONHEAD && next * EROFS_CLUSTER + head.at <= at)
			break;
		/* one that begins behind `at` is where this ends */
	} while (next-- > 0 && number - next <= EROFS_MADE / EROFS_CLUSTER);
	if (next > number || number - next > EROFS_MADE / EROFS_CLUSTER)
		return damaged(fs);
	*extent = (struct erofs_extent) {
		.at = next * EROFS_CLUSTER + head.at,
		.place = (uint64_t)head.block << fs->block_bits,
		.compressed = head.type == HEAD,
		.partial = head.partial,
		.high = head.block,
	};
	if (!find_end(fs, inode, map, next, &end))
		return false;
	extent->length = end - extent->at;
	if (end <= at || extent->length > EROFS_MADE)
		return damaged(fs);
	/* a fragment takes nothing here, and its index says nothing about that */
	extent->fragment = map->tail_fragment && end == inode->size;
	if (extent->fragment)
		return extent->compressed || damaged(fs);
	return get_size(fs, map, next, extent);
}

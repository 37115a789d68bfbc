/* SPDX-License-Identifier: MIT */
/* A reader of erofs: the superblock, inodes and folders; see erofs.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "erofs.h"
#include "erofs_internal.h"
#include "limits.h"
#include "little_endian.h"

enum {
	SUPER_AT = 1024,
	SUPER_SIZE = 128,
	SECTOR = 512,
	INODE_UNIT = 32,
	DIRENT = 12,
	LARGEST_BLOCK = 64 * 1024,
	ATTRIBUTES = 12,  /* the header in front of them */
	LEAST_WORK = 512, /* what reading is counted as, however little is read */
};

#define MAGIC 0xe0f5e1e2U

enum { COMPAT_CHECKSUM = 1 };

/* Of the features that a reader must know; 2 and 32 have two meanings each. */
enum {
	ZERO_PADDING = 0x01,
	BIG_CLUSTERS = 0x02,
	FRAGMENTS = 0x20,
	KNOWN = ZERO_PADDING | BIG_CLUSTERS | FRAGMENTS,
};

bool erofs_odd(struct erofs *fs, const char *what)
{
	(void)fail(fs->failure, "erofs root: %s", what);
	return false;
}

bool erofs_work(struct erofs *fs, uint64_t bytes)
{
	if (bytes > LIMIT_UNPACKED - fs->work)
		return erofs_odd(fs, "more than 4 GiB to read and unpack");
	fs->work += bytes;
	return true;
}

bool erofs_get(struct erofs *fs, uint64_t at, void *to, size_t size)
{
	if (at > fs->size || size > fs->size - at)
		return erofs_odd(fs, EROFS_CUT);
	/* a call costs more than the few bytes that some ask for, and a hostile image has many
	 * asked */
	if (!erofs_work(fs, size < LEAST_WORK ? LEAST_WORK : size))
		return false;
	if (pread(fs->fd, to, size, (off_t)at) != (ssize_t)size)
		return erofs_odd(fs, "cannot be read");
	return true;
}

/* As the kernel has it: Castagnoli's polynomial, begun with ones, and not inverted at the end. */
static uint32_t checksum(const unsigned char *bytes, size_t length)
{
	uint32_t sum = ~0U;

	for (size_t i = 0; i < length; i++) {
		sum ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (0x82f63b78U & -(sum & 1));
	}
	return sum;
}

static bool has_its_checksum(struct erofs *fs, const unsigned char *super)
{
	static unsigned char block[LARGEST_BLOCK];
	size_t length = (size_t)1 << fs->block_bits;

	if (!(read_le32(super + 8) & COMPAT_CHECKSUM))
		return true;
	if (length > SUPER_AT)
		length -= SUPER_AT;
	if (!erofs_get(fs, SUPER_AT, block, length))
		return false;
	memset(block + 4, 0, 4);
	return checksum(block, length) == read_le32(super + 4) ||
	       erofs_odd(fs, "the checksum of its superblock is wrong");
}

static bool read_super(struct erofs *fs, uint64_t *root)
{
	unsigned char super[SUPER_SIZE];
	uint32_t features;

	if (!erofs_get(fs, SUPER_AT, super, sizeof super))
		return false;
	if (read_le32(super) != MAGIC)
		return erofs_odd(fs, "not an erofs file system");
	fs->block_bits = super[12];
	if (fs->block_bits < 9 || fs->block_bits > 16)
		return erofs_odd(fs, "blocks of a size that no kernel takes");
	if (!has_its_checksum(fs, super))
		return false;
	features = read_le32(super + 80);
	if ((features & ~(uint32_t)KNOWN) != 0 || super[13] != 0 || !memchr(super + 64, '\0', 16) ||
	    read_le16(super + 86) != 0 || super[90] != 0 || super[91] != 0)
		return erofs_odd(fs, "has features that are not looked into; boot it, or build the "
				     "image with squashfs");
	fs->big = features & BIG_CLUSTERS;
	fs->shared = (uint64_t)read_le32(super + 44) << fs->block_bits;
	fs->padded = features & ZERO_PADDING;
	fs->meta = (uint64_t)read_le32(super + 40) << fs->block_bits;
	fs->shared_pieces = features & FRAGMENTS;
	fs->packed = fs->shared_pieces ? read_le64(super + 96) : 0;
	*root = read_le16(super + 14);
	return erofs_get_algorithms(fs, read_le16(super + 84), SUPER_AT + sizeof super);
}

bool erofs_get_inode(struct erofs *fs, uint64_t nid, struct erofs_inode *inode)
{
	unsigned char raw[2 * INODE_UNIT];
	uint64_t at;
	unsigned format;
	unsigned attributes;
	bool extended;

	if (nid > fs->size / INODE_UNIT)
		return erofs_odd(fs, EROFS_CUT);
	at = fs->meta + nid * INODE_UNIT;
	if (!erofs_get(fs, at, raw, INODE_UNIT))
		return false;
	format = read_le16(raw);
	extended = format & 1;
	if (extended && !erofs_get(fs, at, raw, sizeof raw))
		return false;
	if (format >> 1 > EROFS_COMPACT || (extended && read_le16(raw + 6) != 0))
		return erofs_odd(fs, "has a file of a layout that is not looked into");
	attributes = read_le16(raw + 2);
	*inode = (struct erofs_inode) {
		.nid = nid,
		.mode = read_le16(raw + 4),
		.size = extended ? read_le64(raw + 8) : read_le32(raw + 8),
		.layout = format >> 1,
		.block = read_le32(raw + 16),
		.attributes = at + (extended ? sizeof raw : INODE_UNIT),
		.attributes_size = attributes > 0 ? ATTRIBUTES + 4 * (attributes - 1ULL) : 0,
	};
	inode->behind = inode->attributes + inode->attributes_size;
	/* older kernels count clusters in 31 bits */
	return inode->size >> (31 + fs->block_bits) == 0 ||
	       erofs_odd(fs, "a file that is longer than kernels read");
}

enum { CAPABILITY = sizeof "capability" - 1 };

/* Whether a value of so many bytes, which begins with these, is what a kernel takes for a file's
 * capabilities: it runs no file that has others (get_vfs_caps_from_disk()). */
static bool are_capabilities(uint32_t begin, unsigned size)
{
	static const unsigned sizes[] = { 0, 12, 20, 24 };
	uint32_t revision = begin >> 24;

	return revision > 0 && revision < sizeof sizes / sizeof *sizes && size == sizes[revision];
}

/* Of security., with a name of so many bytes as that has, and a value of `size`. */
static bool judge_capabilities(struct erofs *fs, uint64_t at, unsigned size)
{
	unsigned char name[CAPABILITY];
	unsigned char value[4];

	if (!erofs_get(fs, at, name, sizeof name))
		return false;
	if (memcmp(name, "capability", sizeof name) != 0)
		return true;
	return erofs_get(fs, at + sizeof name, value, sizeof value) &&
	       (are_capabilities(read_le32(value), size) ||
		erofs_odd(fs, "has a file with capabilities that kernels do not take, which they "
			      "do not run"));
}

/* Leaves in *size how long it is. */
static bool judge_attribute(struct erofs *fs, uint64_t at, uint64_t *size)
{
	enum { HEADER = 4, TRUSTED = 4, SECURITY = 6, LONG_PREFIX = 0x80 };
	unsigned char header[HEADER];

	if (!erofs_get(fs, at, header, sizeof header))
		return false;
	if (header[1] == TRUSTED || (header[1] & LONG_PREFIX))
		return erofs_odd(fs, "has an extended attribute of trusted., by which overlayfs "
				     "may make something else of it, or with a prefix of its own");
	if (header[1] == SECURITY && header[0] == CAPABILITY &&
	    !judge_capabilities(fs, at + HEADER, read_le16(header + 2)))
		return false;
	*size = (HEADER + header[0] + (uint64_t)read_le16(header + 2) + 3) & ~3ULL;
	return true;
}

/*
 * dracut puts an overlayfs over it, for which a file's attributes may hide it, or lead to another.
 * Security modules have some on honest files. Numbers of shared ones stand in front of its own.
 */
static bool judge_attributes(struct erofs *fs, const struct erofs_inode *inode)
{
	uint64_t at = inode->attributes + ATTRIBUTES;
	unsigned char header[ATTRIBUTES];
	unsigned char number[4];
	uint64_t size;

	if (inode->attributes_size == 0)
		return true;
	if (!erofs_get(fs, inode->attributes, header, sizeof header))
		return false;
	for (unsigned i = 0; i < header[4]; i++, at += sizeof number) {
		if (!erofs_get(fs, at, number, sizeof number) ||
		    !judge_attribute(fs, fs->shared + 4ULL * read_le32(number), &size))
			return false;
	}
	for (; at < inode->behind; at += size) {
		if (!judge_attribute(fs, at, &size))
			return false;
	}
	return at == inode->behind || erofs_odd(fs, "extended attributes that are damaged");
}

/* A folder that is being read, or that is still to be. */
struct folder {
	struct erofs_inode inode;
	uint64_t parent;
	const struct node *node; /* what it is in the tree */
	struct folder *next;
	char last[KERNEL_NAME + 1]; /* the name before, which is less than the next one */
};

/* Whether the tree took it: false with the reason. */
static bool is_made(struct erofs *fs, int error)
{
	return error == 0 ||
	       erofs_odd(fs, fs->tree->exceeded ? fs->tree->exceeded : strerror(error));
}

static bool make_file(struct erofs *fs, const struct erofs_inode *inode, const char *path)
{
	struct node *file;
	unsigned char *content;
	size_t wanted;
	bool ok;
	int error = tree_open(fs->tree, path, inode->mode, archive_wish, NULL, &file);

	if (error == 0)
		error = tree_truncate(fs->tree, file, inode->size);
	if (!is_made(fs, error))
		return false;
	wanted = inode->size < file->wanted ? (size_t)inode->size : file->wanted;
	if (wanted == 0)
		return true;
	content = malloc(wanted);
	if (!content)
		return erofs_odd(fs, "no memory");
	ok = erofs_read_content(fs, inode, 0, content, wanted);
	if (ok)
		(void)tree_write(file, 0, content, wanted);
	free(content);
	return ok;
}

static bool make_link(struct erofs *fs, const struct erofs_inode *inode, const char *path)
{
	char target[KERNEL_PATH];
	int error;

	if (inode->size == 0 || inode->size >= sizeof target)
		return erofs_odd(fs, "a link that is empty or too long");
	if (!erofs_read_content(fs, inode, 0, (unsigned char *)target, (size_t)inode->size))
		return false;
	target[inode->size] = '\0';
	if (strlen(target) != inode->size)
		return erofs_odd(fs, "a link with a NUL in it");
	error = tree_symlink(fs->tree, target, path);
	return is_made(fs, error);
}

/* Nobody asks for one, but it may stand in something's place. */
static bool make_special(struct erofs *fs, const struct erofs_inode *inode, const char *path)
{
	/* in an inode as new_decode_dev() of the kernel has it */
	int error = tree_make(fs->tree, path, inode->mode, inode->block >> 8 & 0xfff,
			      (inode->block & 0xff) | (inode->block >> 12 & 0xfff00));
	return is_made(fs, error);
}

/* Makes it, and puts it on the list of those to be read. */
static bool make_folder(struct erofs *fs, const struct erofs_inode *inode, uint64_t parent,
			const char *path)
{
	struct folder *folder = calloc(1, sizeof *folder);
	struct place place;
	int error = tree_resolve(fs->tree, path, TREE_NOFOLLOW, &place);

	if (!folder)
		return erofs_odd(fs, "no memory");
	folder->inode = *inode;
	folder->parent = parent;
	folder->next = fs->folders;
	fs->folders = folder;
	/* /dev and /root are there already: tree_init() has made them */
	if (error == 0 && place.node && S_ISDIR(place.node->mode))
		error = tree_chmod(fs->tree, path, inode->mode & 07777);
	else if (error == 0)
		error = tree_make(fs->tree, path, S_IFDIR | (inode->mode & 07777), 0, 0);
	if (error == 0)
		error = tree_resolve(fs->tree, path, TREE_NOFOLLOW, &place);
	if (!is_made(fs, error))
		return false;
	folder->node = place.node;
	return true;
}

/* What a folder says of the type, which readdir(3) hands on, so that the file need not be asked. */
static bool is_said(mode_t mode, unsigned type)
{
	static const mode_t types[] = { 0,	 S_IFREG, S_IFDIR,  S_IFCHR,
					S_IFBLK, S_IFIFO, S_IFSOCK, S_IFLNK };

	return type > 0 && type < sizeof types / sizeof *types && (mode & S_IFMT) == types[type];
}

static bool make_entry(struct erofs *fs, const struct folder *folder, uint64_t nid, unsigned type,
		       const char *path)
{
	struct erofs_inode inode;
	struct place place;

	if (!erofs_get_inode(fs, nid, &inode) || !judge_attributes(fs, &inode))
		return false;
	if (!is_said(inode.mode, type))
		return erofs_odd(fs, "a file whose folder says that it is of another type");
	/* what is there is the kernel's own, as /dev/console: no name stands twice here, and only
	 * /dev has something in it */
	if (!S_ISDIR(inode.mode) && tree_resolve(fs->tree, path, TREE_NOFOLLOW, &place) == 0 &&
	    place.node && tree_remove(fs->tree, path) != 0)
		return erofs_odd(fs, "a /dev that is no folder");
	if (S_ISDIR(inode.mode))
		return make_folder(fs, &inode, folder->inode.nid, path);
	if (S_ISLNK(inode.mode))
		return make_link(fs, &inode, path);
	if (S_ISREG(inode.mode))
		return make_file(fs, &inode, path);
	return make_special(fs, &inode, path);
}

/* A name and what has it. The kernel looks names up by halves, and so they are in order. */
static bool read_name(struct erofs *fs, struct folder *folder, const char *name, size_t length,
		      uint64_t nid, unsigned type)
{
	char path[KERNEL_PATH];
	char now[KERNEL_NAME + 1];
	size_t before;

	if (length == 0 || length > KERNEL_NAME || memchr(name, '/', length) ||
	    memchr(name, '\0', length))
		return erofs_odd(fs, "a name that no file can have");
	memcpy(now, name, length);
	now[length] = '\0';
	if (strcmp(folder->last, now) >= 0)
		return erofs_odd(fs, "a folder whose names are not in order, or stand twice");
	memcpy(folder->last, now, length + 1);
	if (strcmp(now, ".") == 0)
		return nid == folder->inode.nid || erofs_odd(fs, "a . that leads elsewhere");
	if (strcmp(now, "..") == 0)
		return nid == folder->parent || erofs_odd(fs, "a .. that leads elsewhere");
	before = strlen(tree_path(folder->node, path, sizeof path));
	if (before + 1 + length >= sizeof path)
		return erofs_odd(fs, strerror(ENAMETOOLONG));
	path[before] = '/';
	memcpy(path + before + 1, now, length + 1);
	return make_entry(fs, folder, nid, type, path);
}

/* In each block are the entries, and behind them their names; the first name says where that is. */
static bool read_block(struct erofs *fs, struct folder *folder, const unsigned char *block,
		       size_t size)
{
	size_t names = size >= DIRENT ? read_le16(block + 8) : 0;

	if (names < DIRENT || names % DIRENT != 0 || names > size)
		return erofs_odd(fs, "a folder that is damaged");
	for (size_t at = 0; at < names; at += DIRENT) {
		size_t begin = read_le16(block + at + 8);
		size_t end = size;

		if (at + DIRENT < names)
			end = read_le16(block + at + DIRENT + 8);
		if (begin < names || end < begin || end > size)
			return erofs_odd(fs, "a folder that is damaged");
		if (at + DIRENT >= names)
			end = begin + strnlen((const char *)block + begin, end - begin);
		if (!read_name(fs, folder, (const char *)block + begin, end - begin,
			       read_le64(block + at), block[at + 10]))
			return false;
	}
	return true;
}

/* The kernel looks for the end of the last name up to that of the block: what is behind a folder
 * must not be more of it. Behind what is inline it finds zeros. */
static bool ends_there(struct erofs *fs, const struct erofs_inode *folder)
{
	uint64_t block = 1ULL << fs->block_bits;
	unsigned char behind = 0;

	if (folder->layout == EROFS_PLAIN && (folder->size & (block - 1)) != 0 &&
	    !erofs_get(fs, folder->block * block + folder->size, &behind, 1))
		return false;
	return behind == 0 || erofs_odd(fs, "a folder whose last name goes on behind its end");
}

static bool read_folder(struct erofs *fs, struct folder *folder)
{
	size_t block = (size_t)1 << fs->block_bits;
	unsigned char *bytes;
	bool ok = true;

	if (folder->inode.layout != EROFS_PLAIN && folder->inode.layout != EROFS_INLINE)
		return erofs_odd(fs, "a folder of a layout that is not looked into");
	bytes = malloc(block);
	if (!bytes)
		return erofs_odd(fs, "no memory");
	for (uint64_t at = 0; ok && at < folder->inode.size; at += block) {
		uint64_t left = folder->inode.size - at;
		size_t size = left < block ? (size_t)left : block;

		ok = erofs_read_content(fs, &folder->inode, at, bytes, size) &&
		     read_block(fs, folder, bytes, size);
	}
	free(bytes);
	return ok && ends_there(fs, &folder->inode);
}

/* Kernels do not mount what has them in something else than a file. */
static bool judge_packed(struct erofs *fs)
{
	struct erofs_inode packed;

	if (fs->packed == 0)
		return true;
	return erofs_get_inode(fs, fs->packed, &packed) &&
	       (S_ISREG(packed.mode) || erofs_odd(fs, "has its fragments in what is no file"));
}

static bool read_all(struct erofs *fs)
{
	struct erofs_inode root;
	uint64_t nid = 0;
	bool ok;

	if (!read_super(fs, &nid) || !judge_packed(fs) || !erofs_get_inode(fs, nid, &root) ||
	    !judge_attributes(fs, &root))
		return false;
	if (!S_ISDIR(root.mode))
		return erofs_odd(fs, "its root is no folder");
	ok = make_folder(fs, &root, nid, "/");
	while (fs->folders) {
		struct folder *folder = fs->folders;

		fs->folders = folder->next;
		ok = ok && read_folder(fs, folder);
		free(folder);
	}
	return ok;
}

bool erofs_is(int image)
{
	unsigned char magic[4];

	return pread(image, magic, sizeof magic, SUPER_AT) == (ssize_t)sizeof magic &&
	       read_le32(magic) == MAGIC;
}

bool erofs_read(int image, struct tree *tree, struct failure *failure)
{
	struct erofs fs = { .fd = image, .tree = tree, .failure = failure };
	struct stat stat;
	bool ok;

	if (fstat(image, &stat) != 0)
		return erofs_odd(&fs, "cannot be read");
	fs.size = (uint64_t)stat.st_size;
	fs.made = malloc(EROFS_MADE);
	fs.compressed = malloc(EROFS_PACKED);
	fs.ways = calloc(fs.size / EROFS_CLUSTER + 1, sizeof *fs.ways);
	ok = fs.made && fs.compressed && fs.ways ? read_all(&fs) : erofs_odd(&fs, "no memory");
	if (ok && fs.size % SECTOR != 0)
		ok = erofs_odd(&fs, "its last sector is not whole, which a loop device leaves out");
	free(fs.made);
	free(fs.compressed);
	free(fs.ways);
	return ok;
}

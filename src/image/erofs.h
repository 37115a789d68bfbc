/* SPDX-License-Identifier: MIT */
/*
 * A reader of erofs, the file system that dracut from 105 on can put its root into: superblock,
 * inodes, folders and contents are read as the kernel reads them (fs/erofs of Linux), in memory,
 * and the tree is made of them. No program of erofs-utils is asked: that of 1.5 (Debian 12) can
 * only extract, into a folder, by names that an image gives it, and knows no compression but lz4.
 *
 * What mkfs.erofs makes for dracut is known: flat contents and compressed ones, with both indexes,
 * fragments and large clusters, by lz4, lzma, deflate and zstd. What it makes only when told
 * otherwise is refused: other features and layouts, inline clusters, a second algorithm.
 */
#ifndef NOPTRACE_EROFS_H
#define NOPTRACE_EROFS_H

#include "failure.h"
#include "tree.h"

/* Whether there is one in the file of this descriptor, as its first block tells. */
bool erofs_is(int image);

/*
 * Makes in `tree`, which tree_init() has made, what is in the file system that the file of this
 * descriptor holds. A file with several names becomes several, and contents are kept as
 * archive_wish() says. False, with the reason, for what is none or is not known, for names that no
 * file can have, that stand twice or in the wrong order, for a type that is not the file's, for
 * extended attributes that overlayfs may go by, for what is compressed in a way that the superblock
 * does not announce, or whose index kernels would follow elsewhere, and beyond the bounds of
 * limits.h, of which LIMIT_UNPACKED counts what is read and unpacked. What nobody wishes for is not
 * read, and not judged.
 */
bool erofs_read(int image, struct tree *tree, struct failure *failure);

#endif

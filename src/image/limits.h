/* SPDX-License-Identifier: MIT */
/*
 * What an image may cost whoever looks at it. An image is somebody else's bytes: without a bound a
 * megabyte of it can ask for hours and for all of the memory. Every bound is far above what an
 * image needs: those that dracut and initramfs-tools of Debian 12 make have 700 entries, are 12
 * folders deep and unpack to four times their size; all of a small Debian's /usr has 13,000
 * entries. An image that goes beyond one is refused with a line that names it. None of them is the
 * kernel's own, apart from those that say so.
 */
#ifndef NOPTRACE_LIMITS_H
#define NOPTRACE_LIMITS_H

enum {
	/* Entries in all archives, those that leave nothing behind included. */
	LIMIT_ENTRIES = 250 * 1000,
	/* Folders within each other. A path of the kernel's has at most 2,048. */
	LIMIT_DEPTH = 256,
	/* Components of paths and links that are looked up, all in all. Forty links with a thousand
	   components each may stand behind every entry. */
	LIMIT_STEPS = 10 * 1000 * 1000,
	/* What is kept of a file's content, unless the caller wishes otherwise, and of all, to
	   which what links lead to is added. */
	LIMIT_KEPT = 256 * 1024,
	LIMIT_KEPT_ALL = 256 * 1024 * 1024,
	/* Bytes of files that are looked at by one of several names, or of the folders whose files
	   are looked at: one file may have as many as there are entries. */
	LIMIT_LOOKED = 16 * 1024 * 1024,
	/* Compressed members. Each has a decompressor made for it, of some megabytes, however short
	   it is; an image has less than ten. */
	LIMIT_MEMBERS = 1024,
	/* Unpacked bytes for a compressed one, beyond LIMIT_UNPACKED_FREE. */
	LIMIT_RATIO = 100,
	LIMIT_UNPACKED_FREE = 256 * 1024 * 1024,
	/* What a decompressor may ask for. Of xz -9 it is 65 MiB, of zstd's largest window 128. */
	LIMIT_DICTIONARY = 256 * 1024 * 1024,
	/* Sections of a PE file, which could name 65,535. A unified image has some ten. */
	LIMIT_SECTIONS = 1024,
	/* Bytes of a PE file's base relocations. Those of systemd's stub are some hundred. */
	LIMIT_RELOCATIONS = 256 * 1024,

	/* The kernel's own: PATH_MAX, NAME_MAX and MAXSYMLINKS. */
	KERNEL_PATH = 4096,
	KERNEL_NAME = 255,
	KERNEL_LINKS = 40,
};

/* The image itself, and what all of its archives unpack to. */
#define LIMIT_IMAGE (4ULL << 30)
#define LIMIT_UNPACKED (4ULL << 30)

#endif
